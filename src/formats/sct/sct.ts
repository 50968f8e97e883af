/** Signed certificate timestamps (RFC 6962 §3.2, §3.3): parsed and encoded. @module */
import { ByteReader, concatBytes, uint16be, uint64be } from '#encoding/bytes'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { SctError } from './errors.js'

export interface SignedCertificateTimestamp {
  /** SHA-256 of the log's SubjectPublicKeyInfo. */
  readonly logId: Uint8Array
  readonly timestamp: UnixMillis
  /** CtExtensions, without their length: part of what is signed. Static CT logs put the leaf index here. */
  readonly extensions: Uint8Array
  /** TLS HashAlgorithm and SignatureAlgorithm (RFC 5246 §7.4.1.4.1). */
  readonly hashAlgorithm: number
  readonly signatureAlgorithm: number
  readonly signature: Uint8Array
}

const V1 = 0
const LOG_ID_BYTES = 32
const MAX_SAFE_MILLIS = BigInt(Number.MAX_SAFE_INTEGER)
/** Certificates carry one to four; every one costs a signature check. */
const MAX_SCTS = 32

/**
 * Parses a SignedCertificateTimestampList: the content of the extension 1.3.6.1.4.1.11129.2.4.2.
 * @throws SctError SCT_MALFORMED; SCT_UNSUPPORTED for a version other than v1
 */
export function parseSctList(bytes: Uint8Array): readonly SignedCertificateTimestamp[] {
  return guarded(() => {
    const outer = new ByteReader(bytes)
    const list = new ByteReader(outer.vector(2))
    outer.end()
    const scts: SignedCertificateTimestamp[] = []
    while (list.remaining > 0) {
      if (scts.length === MAX_SCTS)
        throw new SctError('SCT_MALFORMED', 'the SCT list is too long', {
          expected: `at most ${String(MAX_SCTS)} SCTs`,
        })
      scts.push(readSct(list.vector(2)))
    }
    if (scts.length === 0) throw new SctError('SCT_MALFORMED', 'the SCT list is empty')
    return scts
  })
}

/** Parses one SCT in its TLS form. @throws SctError as {@link parseSctList} */
export function parseSct(bytes: Uint8Array): SignedCertificateTimestamp {
  return guarded(() => readSct(bytes))
}

/** One SCT in its TLS form. */
export function encodeSct(sct: SignedCertificateTimestamp): Uint8Array {
  return concatBytes(
    Uint8Array.of(V1),
    sct.logId,
    uint64be(BigInt(sct.timestamp)),
    uint16be(sct.extensions.length),
    sct.extensions,
    Uint8Array.of(sct.hashAlgorithm, sct.signatureAlgorithm),
    uint16be(sct.signature.length),
    sct.signature,
  )
}

/** SCTs, each in its TLS form, as a SignedCertificateTimestampList. */
export function encodeSctList(scts: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...scts.flatMap((sct) => [uint16be(sct.length), sct]))
  return concatBytes(uint16be(body.length), body)
}

const LEAF_INDEX = 0
const LEAF_INDEX_BYTES = 5

/**
 * The index of the entry in its log, where a static CT log says it (C2SP static-ct-api, "SCT Extension").
 * @throws SctError SCT_MALFORMED
 */
export function sctLeafIndex(sct: Pick<SignedCertificateTimestamp, 'extensions'>): bigint | undefined {
  return guarded(() => {
    const reader = new ByteReader(sct.extensions)
    let index: bigint | undefined
    while (reader.remaining > 0) {
      const type = reader.u8()
      const data = reader.vector(2)
      if (type !== LEAF_INDEX) continue
      if (index !== undefined || data.length !== LEAF_INDEX_BYTES) {
        throw new SctError('SCT_MALFORMED', 'the leaf index of an SCT is repeated or has another size', {
          expected: '5 bytes, once',
        })
      }
      index = data.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
    }
    return index
  })
}

/** CtExtensions with a leaf index alone, below 2^40. */
export function encodeLeafIndexExtension(index: bigint): Uint8Array {
  if (index < 0n || index >= 1n << 40n)
    throw new SctError('SCT_UNSUPPORTED', 'a leaf index of a CT log must be below 2^40')
  return concatBytes(Uint8Array.of(LEAF_INDEX), uint16be(LEAF_INDEX_BYTES), uint64be(index).subarray(3))
}

function readSct(bytes: Uint8Array): SignedCertificateTimestamp {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== V1) {
    throw new SctError('SCT_UNSUPPORTED', 'an SCT has an unknown version', {
      expected: 'v1 (0)',
      found: String(version),
    })
  }
  const logId = reader.take(LOG_ID_BYTES)
  const timestamp = reader.u64()
  if (timestamp > MAX_SAFE_MILLIS) throw new SctError('SCT_MALFORMED', 'the time of an SCT is out of range')
  const extensions = reader.vector(2)
  const hashAlgorithm = reader.u8()
  const signatureAlgorithm = reader.u8()
  const signature = reader.vector(2)
  reader.end()
  return { logId, timestamp: Number(timestamp), extensions, hashAlgorithm, signatureAlgorithm, signature }
}

function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof SctError || !isCodedError(cause)) throw cause
    throw new SctError('SCT_MALFORMED', `not a signed certificate timestamp: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
}
