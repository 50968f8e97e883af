/** Writing signed entities as Sigstore bundles of version 0.3. @module */
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { envelopeToJson } from '../dsse/envelope.js'
import { protoHashAlgorithm } from '../hash-algorithm.js'
import { transparencyLogEntryToJson } from '../rekor-entry/log-entry-proto.js'
import type { KeyMaterial, SignedContent, SignedEntity } from '../signed-entity.js'
import { BUNDLE_MEDIA_TYPE } from './media-type.js'

/** The bundle's JSON on one line, fields in the order of Go's protobuf writer. */
export function serializeBundle(entity: SignedEntity): string {
  return JSON.stringify(bundleToJson(entity))
}

/**
 * The bundle as a JSON value. A single certificate is written as `certificate`; several need `x509CertificateChain`,
 * which strict verifiers refuse in this version, so only hand in more than the leaf where that is wanted.
 */
export function bundleToJson(entity: SignedEntity): JsonObject {
  const { logEntries, timestamps } = entity
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      ...keyToJson(entity.key),
      ...(logEntries.length === 0 ? {} : { tlogEntries: logEntries.map((entry) => transparencyLogEntryToJson(entry)) }),
      ...(timestamps.length === 0 ? {} : { timestampVerificationData: timestampsToJson(timestamps) }),
    },
    ...contentToJson(entity.content),
  }
}

function keyToJson(key: KeyMaterial): JsonObject {
  if (key.kind === 'public-key') return { publicKey: key.hint === '' ? {} : { hint: key.hint } }
  const certificates = key.chain.map((der) => ({ rawBytes: encodeBase64(der) }))
  const [leaf, ...others] = certificates
  return leaf !== undefined && others.length === 0 ? { certificate: leaf } : { x509CertificateChain: { certificates } }
}

function timestampsToJson(timestamps: readonly Uint8Array[]): JsonObject {
  return { rfc3161Timestamps: timestamps.map((timestamp) => ({ signedTimestamp: encodeBase64(timestamp) })) }
}

function contentToJson(content: SignedContent): JsonObject {
  if (content.kind === 'dsse') return { dsseEnvelope: envelopeToJson(content.envelope) }
  const { digestAlgorithm, digest, signature } = content
  const messageDigest =
    digestAlgorithm === undefined || digest === undefined
      ? {}
      : { messageDigest: { algorithm: protoHashAlgorithm(digestAlgorithm), digest: encodeBase64(digest) } }
  return { messageSignature: { ...messageDigest, signature: encodeBase64(signature) } }
}
