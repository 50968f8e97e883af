/** Trusted root and signing configuration in one file. @module */
import { parseJson } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { trustedRootFromJson } from '../trusted-root/parse.js'
import { trustedRootToJson } from '../trusted-root/serialize.js'
import type { TrustedRoot } from '../trusted-root/trusted-root.js'
import { signingConfigFromJson } from './parse.js'
import { signingConfigToJson } from './serialize.js'
import type { SigningConfig } from './signing-config.js'
import { SigningConfigError } from './signing-config-error.js'

const MEDIA_TYPE = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json'

/** All that a client needs to know about an instance of Sigstore. */
export interface ClientTrustConfig {
  readonly trustedRoot: TrustedRoot
  readonly signingConfig: SigningConfig
}

/** @throws SigningConfigError, TrustedRootError */
export function parseClientTrustConfig(source: string | Uint8Array): ClientTrustConfig {
  try {
    const reader = readMessage(parseJson(source), '', { names: ['mediaType', 'trustedRoot', 'signingConfig'] })
    const mediaType = reader.string('mediaType')
    if (mediaType !== MEDIA_TYPE) {
      throw new SigningConfigError('SIGNING_CONFIG_MEDIA_TYPE', 'not a client trust configuration of a known version', {
        expected: MEDIA_TYPE,
        found: mediaType.slice(0, 100),
      })
    }
    return {
      trustedRoot: reader.message('trustedRoot', trustedRootFromJson),
      signingConfig: reader.message('signingConfig', signingConfigFromJson),
    }
  } catch (cause) {
    if (!isCodedError(cause) || !/^(?:PROTOJSON|JSON|UTF8)/.test(cause.code)) throw cause
    const { expected, found } = cause
    throw new SigningConfigError('SIGNING_CONFIG_MALFORMED', `not a client trust configuration: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** The JSON text. */
export function serializeClientTrustConfig({ trustedRoot, signingConfig }: ClientTrustConfig): string {
  const document = {
    mediaType: MEDIA_TYPE,
    trustedRoot: trustedRootToJson(trustedRoot),
    signingConfig: signingConfigToJson(signingConfig),
  }
  return JSON.stringify(document, undefined, 2)
}
