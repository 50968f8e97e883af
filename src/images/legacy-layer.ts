/** cosign's `.sig` and `.att` layers ⇄ signed entities: everything beside the payload is in annotations. @module */
import { decodeBase64, decodeBase64Any, encodeBase64 } from '#encoding/base64'
import { stringifyLikeGo } from '#encoding/go-json'
import { isJsonObject, parseJson } from '#encoding/json'
import { encodePem, parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { parseRekorBundle, rekorBundleToJson } from '#formats/cosign-bundle/rekor-bundle'
import { DSSE_MEDIA_TYPE, parseEnvelope, serializeEnvelope } from '#formats/dsse/envelope'
import { ANNOTATIONS } from '#formats/oci/media-types'
import type { KeyMaterial, SignedEntity } from '#formats/signed-entity'
import { SIMPLE_SIGNING_MEDIA_TYPE } from '#formats/simple-signing/payload'
import { withoutRoots } from '#formats/x509/self-issued'
import { ImagesError, type ImagesErrorCode } from './images-error.js'

type Annotations = Readonly<Record<string, string>>

/** A layer of an attachment image. */
export interface LegacyLayer {
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly annotations: Annotations
}

/**
 * A `.sig` layer: a signature over the layer's bytes.
 * @throws ImagesError IMAGES_SIGNATURE_LAYER
 */
export function signatureFromLayer({ bytes, annotations }: LegacyLayer): { entity: SignedEntity; payload: Uint8Array } {
  return guarded('IMAGES_SIGNATURE_LAYER', () => {
    const signature = decodeBase64(required(annotations, ANNOTATIONS.signature))
    return {
      entity: { content: { kind: 'message-signature', signature }, ...materialFrom(annotations) },
      payload: bytes,
    }
  })
}

/**
 * An `.att` layer: a DSSE envelope, whose exact bytes are kept.
 * @throws ImagesError IMAGES_ATTESTATION_LAYER
 */
export function attestationFromLayer({ bytes, annotations }: LegacyLayer): { entity: SignedEntity } {
  return guarded('IMAGES_ATTESTATION_LAYER', () => ({
    entity: { content: { kind: 'dsse', envelope: parseEnvelope(bytes) }, ...materialFrom(annotations) },
  }))
}

/** The `.sig` layer of a signature over `payload`. @throws ImagesError IMAGES_SIGNATURE_LAYER for an entity that is none */
export function layerFromSignature(entity: SignedEntity, payload: Uint8Array): LegacyLayer {
  if (entity.content.kind !== 'message-signature') {
    throw new ImagesError('IMAGES_SIGNATURE_LAYER', 'an envelope does not fit into a signature layer', {
      expected: 'a signature over the payload',
    })
  }
  const annotations = { [ANNOTATIONS.signature]: encodeBase64(entity.content.signature), ...materialTo(entity) }
  return { mediaType: SIMPLE_SIGNING_MEDIA_TYPE, bytes: payload, annotations }
}

/** The `.att` layer of an attestation. @throws ImagesError IMAGES_ATTESTATION_LAYER for an entity that is none */
export function layerFromAttestation(entity: SignedEntity, predicateType: string): LegacyLayer {
  if (entity.content.kind !== 'dsse') {
    throw new ImagesError('IMAGES_ATTESTATION_LAYER', 'a bare signature does not fit into an attestation layer', {
      expected: 'a DSSE envelope',
    })
  }
  const bytes = serializeEnvelope(entity.content.envelope)
  // The signature is in the envelope; the annotation is there all the same, and empty.
  const annotations = { [ANNOTATIONS.signature]: '', predicateType, ...materialTo(entity) }
  return { mediaType: DSSE_MEDIA_TYPE, bytes, annotations }
}

function materialFrom(annotations: Annotations): Omit<SignedEntity, 'content'> {
  const rekor = annotations[ANNOTATIONS.bundle] ?? ''
  const timestamp = annotations[ANNOTATIONS.timestamp] ?? ''
  return {
    key: keyFrom(annotations),
    // Older releases wrote `null` where there is no entry.
    logEntries: rekor === '' || rekor === 'null' ? [] : [parseRekorBundle(rekor)],
    timestamps: timestamp === '' || timestamp === 'null' ? [] : [timestampFrom(timestamp)],
  }
}

function keyFrom(annotations: Annotations): KeyMaterial {
  const leaf = certificates(annotations[ANNOTATIONS.certificate] ?? '')
  const chain = certificates(annotations[ANNOTATIONS.chain] ?? '')
  if (leaf.length === 0) return { kind: 'public-key', hint: '' }
  return { kind: 'certificates', chain: withoutRoots([...leaf, ...chain]) }
}

function certificates(pem: string): readonly Uint8Array[] {
  if (pem.trim() === '') return []
  return parsePem(pem).map(({ label, bytes }) => {
    if (label === 'CERTIFICATE') return bytes
    throw new ImagesError('IMAGES_SIGNATURE_LAYER', 'a certificate annotation holds something else', {
      expected: 'CERTIFICATE',
      found: label.slice(0, 40),
    })
  })
}

function timestampFrom(text: string): Uint8Array {
  const value = parseJson(text)
  const der = isJsonObject(value) ? value['SignedRFC3161Timestamp'] : undefined
  if (typeof der === 'string') return decodeBase64Any(der)
  throw new ImagesError('IMAGES_SIGNATURE_LAYER', 'a timestamp annotation holds no timestamp', {
    expected: 'JSON with SignedRFC3161Timestamp',
  })
}

function materialTo({ key, logEntries, timestamps }: SignedEntity): Record<string, string> {
  const [leaf, ...chain] = key.kind === 'certificates' ? key.chain : []
  // The layout has room for one entry with a promise, and for one timestamp.
  const rekor = logEntries.map(rekorBundleToJson).find((entry) => entry !== undefined)
  const [timestamp] = timestamps
  return {
    ...(rekor !== undefined && { [ANNOTATIONS.bundle]: stringifyLikeGo(rekor) }),
    ...(leaf !== undefined && {
      [ANNOTATIONS.certificate]: encodePem('CERTIFICATE', leaf),
      [ANNOTATIONS.chain]: chain.map((certificate) => encodePem('CERTIFICATE', certificate)).join(''),
    }),
    ...(timestamp !== undefined && {
      [ANNOTATIONS.timestamp]: stringifyLikeGo({ SignedRFC3161Timestamp: encodeBase64(timestamp) }),
    }),
  }
}

/** What an entity says that the layout has no room for; empty if all of it can be written. */
export function lostInLegacyLayer({ logEntries, timestamps }: SignedEntity): readonly string[] {
  const promised = logEntries.filter((entry) => rekorBundleToJson(entry) !== undefined)
  return [
    ...(promised.length < logEntries.length ? ['log entries without a signed entry timestamp (Rekor v2)'] : []),
    ...(promised.length > 1 ? ['further log entries'] : []),
    ...(timestamps.length > 1 ? ['further timestamps'] : []),
  ]
}

function required(annotations: Annotations, name: string): string {
  const value = annotations[name] ?? ''
  if (value !== '') return value
  throw new ImagesError('IMAGES_SIGNATURE_LAYER', 'the layer is not signed', { expected: `the annotation ${name}` })
}

function guarded<T>(code: ImagesErrorCode, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof ImagesError) throw cause
    const { expected, found } = cause
    throw new ImagesError(code, `the layer cannot be read: ${cause.message}`, { expected, found, cause })
  }
}
