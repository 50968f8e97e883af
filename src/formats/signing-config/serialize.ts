/** Writing signing configurations, version 0.2. @module */
import type { JsonObject } from '#encoding/json'
import { timeRangeToJson } from '../trusted-root/time-range.js'
import { SIGNING_CONFIG_MEDIA_TYPE } from './parse.js'
import type { Service, ServiceSelector, SigningConfig } from './signing-config.js'

/** The JSON text of a signing configuration. */
export function serializeSigningConfig(config: SigningConfig): string {
  return JSON.stringify(signingConfigToJson(config), undefined, 2)
}

/** The same as a JSON value. */
export function signingConfigToJson(config: SigningConfig): JsonObject {
  const { caUrls, oidcUrls, rekorTlogUrls, rekorTlogConfig, tsaUrls, tsaConfig } = config
  return {
    mediaType: SIGNING_CONFIG_MEDIA_TYPE,
    ...services('caUrls', caUrls),
    ...services('oidcUrls', oidcUrls),
    ...services('rekorTlogUrls', rekorTlogUrls),
    // The reference client reads both configurations even where there are no services.
    rekorTlogConfig: selectorToJson(rekorTlogConfig),
    ...services('tsaUrls', tsaUrls),
    tsaConfig: selectorToJson(tsaConfig),
  }
}

function services(name: string, list: readonly Service[]): JsonObject {
  return list.length === 0 ? {} : { [name]: list.map(serviceToJson) }
}

function serviceToJson({ url, majorApiVersion, validFor, operator }: Service): JsonObject {
  return { url, majorApiVersion, validFor: timeRangeToJson(validFor), ...(operator === '' ? {} : { operator }) }
}

function selectorToJson(selector: ServiceSelector | undefined): JsonObject {
  return selector === undefined ? {} : { ...selector }
}
