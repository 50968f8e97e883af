/** DSSE envelopes: the JSON form, read without losing the exact bytes and written as Go writes them. @module */
import { decodeBase64Any, encodeBase64 } from '#encoding/base64'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { DsseError } from './dsse-error.js'

/** One signature of an envelope. */
export interface DsseSignature {
  /** An unauthenticated hint; often empty. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** A DSSE envelope with payload and signatures decoded. */
export interface DsseEnvelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly DsseSignature[]
  /** The exact JSON that was parsed, where it came as a document of its own: Rekor's `dsse` entries hash these bytes. */
  readonly source?: Uint8Array | undefined
}

/** Media type of an envelope, and of the layer that holds one. */
export const DSSE_MEDIA_TYPE = 'application/vnd.dsse.envelope.v1+json'

/** What in-toto statements are wrapped as. */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json'

// DSSE sets no limit; without one, a verifier would try keys against signatures for as long as an attacker likes.
const MAX_SIGNATURES = 100
/** A few for each signature; what is large in an envelope is one text. */
const JSON_LIMITS = { values: 10_000 }

/**
 * Reads an envelope that is a document of its own; {@link DsseEnvelope.source} keeps its bytes.
 * @throws DsseError `DSSE_MALFORMED`, `DSSE_UNSIGNED`
 */
export function parseEnvelope(source: string | Uint8Array): DsseEnvelope {
  const bytes = typeof source === 'string' ? encodeUtf8(source) : source
  try {
    return { ...envelopeFromJson(parseJson(source, JSON_LIMITS)), source: bytes }
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof DsseError) throw cause
    throw malformed('the envelope is not JSON text', cause)
  }
}

/**
 * Reads an envelope inside of another document. DSSE asks to accept either base64 alphabet, and to ignore unknown fields.
 * @throws DsseError `DSSE_MALFORMED`, `DSSE_UNSIGNED`
 */
export function envelopeFromJson(value: JsonValue): DsseEnvelope {
  if (!isJsonObject(value)) throw malformed('the envelope is not an object')
  const { payloadType, payload, signatures } = value
  if (typeof payloadType !== 'string') throw malformed('the envelope has no payloadType')
  if (!Array.isArray(signatures) || signatures.length > MAX_SIGNATURES)
    throw malformed('signatures is not a list of a sane length')
  if (signatures.length === 0) {
    throw new DsseError('DSSE_UNSIGNED', 'the envelope has no signature', { expected: 'at least one signature' })
  }
  return {
    payloadType,
    payload: bytes(payload, 'payload'),
    signatures: signatures.map((signature: JsonValue) => parseSignature(signature)),
  }
}

function parseSignature(value: JsonValue): DsseSignature {
  if (!isJsonObject(value)) throw malformed('a signature is not an object')
  const { keyid = null, sig } = value
  if (keyid !== null && typeof keyid !== 'string') throw malformed('a keyid is not text')
  return { keyId: keyid ?? '', signature: bytes(sig, 'sig') }
}

/** The envelope in JSON, with its fields in the order of Go's protobuf structs and no empty `keyid`. */
export function envelopeToJson({ payload, payloadType, signatures }: DsseEnvelope): JsonObject {
  return {
    payload: encodeBase64(payload),
    payloadType,
    signatures: signatures.map(({ keyId, signature }) => ({
      sig: encodeBase64(signature),
      ...(keyId === '' ? {} : { keyid: keyId }),
    })),
  }
}

/** The text of an envelope: the bytes it was read from, where there are some. */
export function serializeEnvelope(envelope: DsseEnvelope): Uint8Array {
  return envelope.source ?? encodeUtf8(JSON.stringify(envelopeToJson(envelope)))
}

function bytes(value: JsonValue | undefined, field: string): Uint8Array {
  if (typeof value !== 'string') throw malformed(`${field} is not text`)
  try {
    return decodeBase64Any(value)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed(`${field} is not base64`, cause)
  }
}

function malformed(message: string, cause?: unknown): DsseError {
  return new DsseError('DSSE_MALFORMED', message, {
    expected: 'a DSSE envelope: payloadType, payload and signatures',
    cause,
  })
}
