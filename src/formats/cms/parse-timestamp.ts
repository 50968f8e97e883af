/** RFC 3161 messages, read: TimeStampReq, TimeStampResp and TSTInfo. Strict, and nothing trusted yet. @module */
import { readDigestAlgorithm } from '#crypto/algorithm-identifiers'
import { DIGEST_SIZES } from '#crypto/digest'
import type { DerElement, DerReader } from '#encoding/der'
import {
  DerError,
  TAG,
  contextTag,
  readBitString,
  readBoolean,
  readDer,
  readIntegerBytes,
  readOctetString,
  readOid,
  readSmallInteger,
  readString,
  readTime,
} from '#encoding/der'
import { isCodedError } from '#errors'
import { CmsError, TimestampError } from './errors.js'
import { CMS_OID } from './oids.js'
import { parseSignedData } from './parse-signed-data.js'
import type {
  MessageImprint,
  PkiStatus,
  TimestampRequest,
  TimestampResponse,
  TimestampToken,
  TstInfo,
} from './timestamp.js'

const STATUSES: readonly PkiStatus[] = [
  'granted',
  'grantedWithMods',
  'rejection',
  'waiting',
  'revocationWarning',
  'revocationNotification',
]

/** PKIFailureInfo bits (RFC 3161 §2.4.2). */
export const FAILURE_BITS: ReadonlyMap<number, string> = new Map([
  [0, 'badAlg'],
  [2, 'badRequest'],
  [5, 'badDataFormat'],
  [14, 'timeNotAvailable'],
  [15, 'unacceptedPolicy'],
  [16, 'unacceptedExtension'],
  [17, 'addInfoNotAvailable'],
  [25, 'systemFailure'],
])

/** Parses a TimeStampReq. @throws TimestampError TIMESTAMP_MALFORMED, TIMESTAMP_UNSUPPORTED */
export function parseTimestampRequest(der: Uint8Array): TimestampRequest {
  return guarded('TimeStampReq', () => {
    const reader = readDer(der, TAG.SEQUENCE).contents()
    requireVersion1(reader)
    const imprint = readImprint(reader.next(TAG.SEQUENCE))
    const policy = reader.optional(TAG.OID)
    const nonce = reader.optional(TAG.INTEGER)
    const certReq = reader.optional(TAG.BOOLEAN)
    const extensions = reader.optional(contextTag(0, { constructed: true }))
    reader.end()
    return {
      imprint,
      policy: policy === undefined ? undefined : readOid(policy),
      nonce: nonce === undefined ? undefined : readIntegerBytes(nonce),
      certificates: certReq !== undefined && readBoolean(certReq),
      extensions: extensions === undefined ? [] : extensionOids(extensions.contents()),
    }
  })
}

/** Parses a TimeStampResp. @throws TimestampError TIMESTAMP_MALFORMED, TIMESTAMP_UNSUPPORTED; CmsError for the token inside */
export function parseTimestampResponse(der: Uint8Array): TimestampResponse {
  return guarded('TimeStampResp', () => {
    const reader = readDer(der, TAG.SEQUENCE).contents()
    const info = reader.next(TAG.SEQUENCE).contents()
    const token = reader.optional(TAG.SEQUENCE)
    reader.end()
    const status = STATUSES[readSmallInteger(info.next(TAG.INTEGER))]
    if (status === undefined) throw new TimestampError('TIMESTAMP_MALFORMED', 'the response has an unknown status')
    const text = info.optional(TAG.SEQUENCE)
    const failures = info.optional(TAG.BIT_STRING)
    info.end()
    // RFC 3161 §2.4.2: a token exactly when it was granted.
    const granted = status === 'granted' || status === 'grantedWithMods'
    if (granted !== (token !== undefined)) {
      throw new TimestampError(
        'TIMESTAMP_MALFORMED',
        'the status of the response and its token contradict each other',
        { found: status },
      )
    }
    return {
      status,
      statusText: text === undefined ? undefined : freeText(text.contents()),
      failures: failures === undefined ? [] : failureNames(failures),
      token: token === undefined ? undefined : parseTimestampToken(token.bytes),
    }
  })
}

/** Parses a TimeStampToken. @throws TimestampError TIMESTAMP_MALFORMED, TIMESTAMP_UNSUPPORTED; CmsError */
export function parseTimestampToken(der: Uint8Array): TimestampToken {
  const signedData = parseSignedData(der)
  if (signedData.contentType !== CMS_OID.tstInfo) {
    throw new TimestampError('TIMESTAMP_MALFORMED', 'the signed content is not a TSTInfo', {
      expected: CMS_OID.tstInfo,
      found: signedData.contentType,
    })
  }
  return { der, signedData, info: parseTstInfo(signedData.content) }
}

/**
 * The token of a granted response.
 * @throws TimestampError TIMESTAMP_NOT_GRANTED
 */
export function grantedToken(response: TimestampResponse): TimestampToken {
  if (response.token !== undefined) return response.token
  throw new TimestampError('TIMESTAMP_NOT_GRANTED', 'the timestamp authority granted no timestamp', {
    expected: 'status granted or grantedWithMods',
    found: [response.status, ...response.failures].join(', '),
  })
}

/** Parses a TSTInfo. @throws TimestampError TIMESTAMP_MALFORMED, TIMESTAMP_UNSUPPORTED */
export function parseTstInfo(der: Uint8Array): TstInfo {
  return guarded('TSTInfo', () => {
    const reader = readDer(der, TAG.SEQUENCE).contents()
    requireVersion1(reader)
    const policy = readOid(reader.next(TAG.OID))
    const imprint = readImprint(reader.next(TAG.SEQUENCE))
    const serialNumber = readIntegerBytes(reader.next(TAG.INTEGER))
    const genTime = readTime(reader.next(TAG.GENERALIZED_TIME))
    const accuracy = reader.optional(TAG.SEQUENCE)
    const ordering = reader.optional(TAG.BOOLEAN)
    const nonce = reader.optional(TAG.INTEGER)
    const tsa = reader.optional(contextTag(0, { constructed: true }))
    const extensions = reader.optional(contextTag(1, { constructed: true }))
    reader.end()
    if (extensions !== undefined) refuseCritical(extensions.contents())
    return {
      policy,
      imprint,
      serialNumber,
      genTime,
      accuracy: accuracy === undefined ? undefined : readAccuracy(accuracy.contents()),
      ordering: ordering !== undefined && readBoolean(ordering),
      nonce: nonce === undefined ? undefined : readIntegerBytes(nonce),
      tsa: tsa === undefined ? undefined : directoryName(tsa),
    }
  })
}

function requireVersion1(reader: DerReader): void {
  const version = readSmallInteger(reader.next(TAG.INTEGER))
  if (version !== 1)
    throw new TimestampError('TIMESTAMP_UNSUPPORTED', 'an unknown version', { expected: '1', found: String(version) })
}

function readImprint(element: DerElement): MessageImprint {
  const reader = element.contents()
  const digest = readDigestAlgorithm(reader.next(TAG.SEQUENCE))
  const hash = readOctetString(reader.next(TAG.OCTET_STRING))
  reader.end()
  if (hash.length !== DIGEST_SIZES[digest]) {
    throw new TimestampError('TIMESTAMP_DIGEST_LENGTH', 'the imprint has the wrong length for its digest', {
      expected: `${String(DIGEST_SIZES[digest])} bytes`,
      found: `${String(hash.length)} bytes`,
    })
  }
  return { digest, hash }
}

/** seconds, [0] millis, [1] micros; in milliseconds, rounded up so that the interval never gets narrower. */
function readAccuracy(reader: DerReader): number {
  const seconds = reader.optional(TAG.INTEGER)
  const millis = fraction(reader, 0)
  const micros = fraction(reader, 1)
  reader.end()
  return (seconds === undefined ? 0 : readSmallInteger(seconds)) * 1000 + millis + Math.ceil(micros / 1000)
}

function fraction(reader: DerReader, n: 0 | 1): number {
  const element = reader.optional(contextTag(n))
  if (element === undefined) return 0
  const value = readSmallInteger(
    readDer(Uint8Array.of(TAG.INTEGER, element.content.length & 0x7f, ...element.content.subarray(0, 127))),
  )
  if (value < 1 || value > 999)
    throw new DerError('DER_VALUE', 'a fraction of a second is out of range', { expected: '1 to 999' })
  return value
}

/** tsa [0] EXPLICIT GeneralName: only a directoryName can be compared with a certificate. */
function directoryName(element: DerElement): Uint8Array | undefined {
  const name = readDer(element.content)
  return name.tag === contextTag(4, { constructed: true }) ? readDer(name.content, TAG.SEQUENCE).bytes : undefined
}

function extensionOids(reader: DerReader): readonly string[] {
  const oids: string[] = []
  while (!reader.done) oids.push(readOid(reader.next(TAG.SEQUENCE).contents().next(TAG.OID)))
  return oids
}

function refuseCritical(reader: DerReader): void {
  while (!reader.done) {
    const extension = reader.next(TAG.SEQUENCE).contents()
    const oid = readOid(extension.next(TAG.OID))
    const critical = extension.optional(TAG.BOOLEAN)
    if (critical !== undefined && readBoolean(critical)) {
      throw new TimestampError('TIMESTAMP_UNSUPPORTED', 'the timestamp has an unknown critical extension', {
        found: oid,
      })
    }
  }
}

function freeText(reader: DerReader): string {
  const lines: string[] = []
  while (!reader.done) lines.push(readString(reader.next(TAG.UTF8_STRING)))
  return lines.join('; ').slice(0, 500)
}

function failureNames(element: DerElement): readonly string[] {
  const { bytes } = readBitString(element)
  return [...FAILURE_BITS]
    .filter(([bit]) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
    .map(([, name]) => name)
}

function guarded<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof TimestampError || cause instanceof CmsError || !isCodedError(cause)) throw cause
    const code = cause.code === 'ALGORITHM_UNKNOWN' ? 'TIMESTAMP_UNSUPPORTED' : 'TIMESTAMP_MALFORMED'
    throw new TimestampError(code, `the ${what} cannot be read: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
}
