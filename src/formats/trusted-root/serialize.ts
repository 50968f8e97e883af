/** Writing trusted roots. @module */
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { protoHashAlgorithm } from '../hash-algorithm.js'
import { timeRangeToJson } from './time-range.js'
import type { TrustedAuthority, TrustedLog, TrustedRoot } from './trusted-root.js'

/** Which fields may be written. */
export type TrustedRootVersion = '0.1' | '0.2'

const MEDIA_TYPES = {
  // The old spelling is the only one that today's Go clients take.
  '0.1': 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  '0.2': 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
} as const satisfies Record<TrustedRootVersion, string>

/**
 * The JSON text of a trusted root. Version 0.1 is read by every client; operators and checkpoint key ids need version 0.2
 * and are left out of 0.1, since clients refuse fields that they do not know.
 */
export function serializeTrustedRoot(root: TrustedRoot, version: TrustedRootVersion = '0.1'): string {
  return JSON.stringify(trustedRootToJson(root, version), undefined, 2)
}

/** The same as a JSON value. */
export function trustedRootToJson(root: TrustedRoot, version: TrustedRootVersion = '0.1'): JsonObject {
  return {
    mediaType: MEDIA_TYPES[version],
    tlogs: root.tlogs.map((log) => logToJson(log, version)),
    certificateAuthorities: root.certificateAuthorities.map((authority) => authorityToJson(authority, version)),
    ctlogs: root.ctlogs.map((log) => logToJson(log, version)),
    timestampAuthorities: root.timestampAuthorities.map((authority) => authorityToJson(authority, version)),
  }
}

function logToJson(log: TrustedLog, version: TrustedRootVersion): JsonObject {
  const { checkpointKeyId, operator } = log
  return {
    baseUrl: log.baseUrl,
    hashAlgorithm: protoHashAlgorithm(log.hashAlgorithm),
    publicKey: {
      rawBytes: encodeBase64(log.key.spki),
      keyDetails: log.algorithm.keyDetails,
      validFor: timeRangeToJson(log.validFor),
    },
    logId: { keyId: encodeBase64(log.logId) },
    ...(version === '0.1' || checkpointKeyId === undefined
      ? {}
      : { checkpointKeyId: { keyId: encodeBase64(checkpointKeyId) } }),
    ...operatorField(operator, version),
  }
}

function authorityToJson(authority: TrustedAuthority, version: TrustedRootVersion): JsonObject {
  const { subject, validFor } = authority
  return {
    ...(subject === undefined
      ? {}
      : { subject: { organization: subject.organization, commonName: subject.commonName } }),
    uri: authority.uri,
    certChain: { certificates: authority.chain.map((certificate) => ({ rawBytes: encodeBase64(certificate.der) })) },
    validFor: timeRangeToJson(validFor),
    ...operatorField(authority.operator, version),
  }
}

function operatorField(operator: string | undefined, version: TrustedRootVersion): JsonObject {
  return version === '0.1' || operator === undefined ? {} : { operator }
}
