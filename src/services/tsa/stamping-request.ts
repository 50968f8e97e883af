/** The two forms of a request for a time-stamp: RFC 3161's DER, and timestamp-authority's JSON. @module */
import { DIGEST_SIZES, isDigestName } from '#crypto/digest'
import { decodeBase64 } from '#encoding/base64'
import { readDer } from '#encoding/der'
import { derInteger, encodeOid } from '#encoding/der-writer'
import type { JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseTimestampRequest } from '#formats/cms/parse-timestamp'
import type { MessageImprint, TimestampRequest } from '#formats/cms/timestamp'
import type { StampingErrorCode } from './errors.js'
import { StampingError } from './errors.js'

const SHA1_OID = '1.3.14.3.2.26'
const MAX_JSON_BYTES = 1024
const MAX_OID_COMPONENTS = 128

/** Codes of the parser → codes of the authority. */
const CODES: Readonly<Record<string, StampingErrorCode>> = { TIMESTAMP_DIGEST_LENGTH: 'STAMPING_DIGEST_LENGTH' }

/** Reads a TimeStampReq. @throws StampingError STAMPING_REQUEST, STAMPING_WEAK_DIGEST, STAMPING_DIGEST_LENGTH */
export function readDerRequest(body: Uint8Array): TimestampRequest {
  try {
    return parseTimestampRequest(body)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const code = cause.found === SHA1_OID ? 'STAMPING_WEAK_DIGEST' : (CODES[cause.code] ?? 'STAMPING_REQUEST')
    throw new StampingError(code, cause.message, { expected: cause.expected, found: cause.found, cause })
  }
}

/**
 * Reads `{artifactHash, hashAlgorithm, nonce, certificates, tsaPolicyOID}`.
 * @throws StampingError STAMPING_REQUEST, STAMPING_TOO_LARGE, STAMPING_WEAK_DIGEST, STAMPING_DIGEST_LENGTH, STAMPING_POLICY_OID
 */
export function readJsonRequest(body: Uint8Array): TimestampRequest {
  if (body.length > MAX_JSON_BYTES) {
    throw new StampingError('STAMPING_TOO_LARGE', 'the JSON request is too large', {
      expected: `at most ${String(MAX_JSON_BYTES)} bytes`,
      found: `${String(body.length)} bytes`,
    })
  }
  try {
    const text = decodeUtf8(body)
    return readFields(parseJson(text), text)
  } catch (cause) {
    if (cause instanceof StampingError || !isCodedError(cause)) throw cause
    throw new StampingError('STAMPING_REQUEST', 'the JSON request cannot be read', { cause })
  }
}

function readFields(value: JsonValue, text: string): TimestampRequest {
  if (!isJsonObject(value)) throw malformed('a JSON object')
  const { certificates = false, tsaPolicyOID = '' } = value
  if (certificates !== null && typeof certificates !== 'boolean') throw malformed('certificates to be true or false')
  return {
    imprint: readImprint(value['artifactHash'], value['hashAlgorithm']),
    policy: readPolicy(tsaPolicyOID),
    nonce: readNonce(value['nonce'], text),
    certificates: certificates ?? false,
    extensions: [],
  }
}

function readImprint(artifactHash: JsonValue | undefined, hashAlgorithm: JsonValue | undefined): MessageImprint {
  if (typeof artifactHash !== 'string' || typeof hashAlgorithm !== 'string')
    throw malformed('artifactHash and hashAlgorithm')
  const digest = hashAlgorithm.toLowerCase()
  if (digest === 'sha1')
    throw new StampingError('STAMPING_WEAK_DIGEST', 'SHA-1 is not stamped', { expected: 'sha256, sha384 or sha512' })
  if (!isDigestName(digest)) throw malformed('hashAlgorithm to be sha256, sha384 or sha512')
  const hash = decodeBase64(artifactHash)
  if (hash.length !== DIGEST_SIZES[digest]) {
    throw new StampingError('STAMPING_DIGEST_LENGTH', 'the hash has another length than its algorithm makes', {
      expected: `${String(DIGEST_SIZES[digest])} bytes`,
      found: `${String(hash.length)} bytes`,
    })
  }
  return { digest, hash }
}

function readPolicy(value: JsonValue): string | undefined {
  if (value === '' || value === null) return undefined
  const text = typeof value === 'string' ? value : ''
  try {
    if (text.split('.').length <= MAX_OID_COMPONENTS && encodeOid(text).length > 0) return text
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
  }
  throw new StampingError('STAMPING_POLICY_OID', 'tsaPolicyOID is no object identifier', {
    expected: 'dotted numbers, at most 128',
  })
}

/**
 * A nonce may be larger than a JavaScript number holds, and must come back exactly, so its digits are taken from the text.
 * They cannot come from inside of a JSON string: the quotes around the name would be escaped there.
 */
function readNonce(value: JsonValue | undefined, text: string): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined
  const digits = [...text.matchAll(/"nonce"\s*:\s*(-?\d+)\s*[,}]/g)].map(([, match = '']) => match)
  const found = digits.find((match) => Number(match) === value)
  if (found === undefined) throw malformed('nonce to be an integer')
  return readDer(derInteger(BigInt(found))).content
}

function malformed(expected: string): StampingError {
  return new StampingError('STAMPING_REQUEST', 'the JSON request is not complete', { expected })
}
