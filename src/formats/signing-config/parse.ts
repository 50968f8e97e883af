/** Reading signing configurations, version 0.2. @module */
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import type { ProtoReader } from '#encoding/protojson'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { parseTimeRange } from '../trusted-root/time-range.js'
import type { Service, ServiceSelector, SigningConfig } from './signing-config.js'
import { SigningConfigError } from './signing-config-error.js'

/** The one media type. */
export const SIGNING_CONFIG_MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'

const CONFIG_FIELDS = [
  'mediaType',
  'caUrls',
  'oidcUrls',
  'rekorTlogUrls',
  'rekorTlogConfig',
  'tsaUrls',
  'tsaConfig',
] as const

const SELECTORS = { SERVICE_SELECTOR_UNDEFINED: 0, ALL: 1, ANY: 2, EXACT: 3 } as const

/**
 * Reads a signing configuration.
 * @throws SigningConfigError
 */
export function parseSigningConfig(source: string | Uint8Array): SigningConfig {
  try {
    return signingConfigFromJson(parseJson(source))
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof SigningConfigError) throw cause
    const { expected, found } = cause
    throw new SigningConfigError('SIGNING_CONFIG_MALFORMED', `not a signing configuration: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** The same from a JSON value, for documents that hold one. @throws SigningConfigError, ProtojsonError */
export function signingConfigFromJson(value: JsonValue, path = ''): SigningConfig {
  // The media type first: version 0.1 has other fields, and deserves a better answer than that they are unknown.
  const mediaType = readMessage(value, path, { names: ['mediaType'], unknown: 'ignore' }).string('mediaType')
  if (mediaType !== SIGNING_CONFIG_MEDIA_TYPE) {
    throw new SigningConfigError('SIGNING_CONFIG_MEDIA_TYPE', 'not a signing configuration of a known version', {
      expected: SIGNING_CONFIG_MEDIA_TYPE,
      found: mediaType.slice(0, 100),
    })
  }
  const reader = readMessage(value, path, { names: CONFIG_FIELDS })
  return {
    caUrls: reader.list('caUrls', parseService),
    oidcUrls: reader.list('oidcUrls', parseService),
    rekorTlogUrls: reader.list('rekorTlogUrls', parseService),
    rekorTlogConfig: reader.optionalMessage('rekorTlogConfig', parseSelector),
    tsaUrls: reader.list('tsaUrls', parseService),
    tsaConfig: reader.optionalMessage('tsaConfig', parseSelector),
  }
}

function parseService(value: JsonValue, path: string): Service {
  const reader = readMessage(value, path, { names: ['url', 'majorApiVersion', 'validFor', 'operator'] })
  const url = reader.string('url')
  if (!/^https?:\/\/\S+$/.test(url))
    throw malformed(`${path}.url is no address`, 'an address with http:// or https://', url)
  return {
    url,
    majorApiVersion: natural(reader, 'majorApiVersion'),
    validFor: reader.optionalMessage('validFor', parseTimeRange) ?? {},
    operator: reader.optionalString('operator') ?? '',
  }
}

/** An undefined selector is kept out here and refused where services are selected, as the specification has it. */
function parseSelector(value: JsonValue, path: string): ServiceSelector | undefined {
  const reader = readMessage(value, path, { names: ['selector', 'count'] })
  const selector = reader.optionalEnum('selector', SELECTORS) ?? 'SERVICE_SELECTOR_UNDEFINED'
  const count = natural(reader, 'count')
  if (selector === 'SERVICE_SELECTOR_UNDEFINED') return undefined
  if (selector !== 'EXACT') return { selector }
  if (count > 0) return { selector, count }
  throw new SigningConfigError('SIGNING_CONFIG_SELECTOR', `${path} selects no service at all`, {
    expected: 'a count from 1',
  })
}

function natural(reader: ProtoReader, name: string): number {
  const value = reader.optionalInt64(name) ?? 0n
  if (value >= 0n && value < 2n ** 32n) return Number(value)
  throw malformed(`${name} is out of range`, 'a number from 0', String(value))
}

function malformed(message: string, expected: string, found: string): SigningConfigError {
  return new SigningConfigError('SIGNING_CONFIG_MALFORMED', message, { expected, found: found.slice(0, 200) })
}
