/** Writing DER (ITU-T X.690). @module */
import type { UnixMillis } from '#time'
import { compareBytes, concatBytes } from './bytes.js'
import { TAG, contextTag, DerError } from './der.js'
import { encodeUtf8 } from './utf8.js'

/** One element: tag, length, and the parts as its content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const header = lengthBytes(length)
  const out = new Uint8Array(1 + header.length + length)
  out[0] = tag
  out.set(header, 1)
  let offset = 1 + header.length
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.SEQUENCE, ...parts)
}

/** SET OF: the elements are sorted, as X.690 §11.6 asks. */
export function derSet(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.SET, ...[...parts].sort(compareBytes))
}

/** An INTEGER from a number, or from unsigned big-endian bytes. */
export function derInteger(value: bigint | number | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return der(TAG.INTEGER, minimalUnsigned(value))
  return der(TAG.INTEGER, twosComplement(BigInt(value)))
}

function minimalUnsigned(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const body = bytes.subarray(start)
  if (body.length === 0) return Uint8Array.of(0)
  return (body[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), body) : body
}

function twosComplement(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.unshift(Number(rest & 0xffn))
    rest >>= 8n
  } while (!(rest === 0n && (bytes[0] ?? 0) < 0x80) && !(rest === -1n && (bytes[0] ?? 0) >= 0x80))
  return Uint8Array.from(bytes)
}

/** @throws {@link DerError} DER_VALUE unless the text is dotted decimal with at least two arcs. */
export function derOid(text: string): Uint8Array {
  return der(TAG.OID, encodeOid(text))
}

/** The content bytes of an object identifier. @throws {@link DerError} */
export function encodeOid(text: string): Uint8Array {
  if (!/^[012](?:\.(?:0|[1-9]\d{0,38}))+$/.test(text)) throw badOid(text)
  const [top = 0n, second = 0n, ...rest] = text.split('.').map(BigInt)
  if (top < 2n && second >= 40n) throw badOid(text)
  const out: number[] = []
  for (const arc of [top * 40n + second, ...rest]) {
    const digits = [Number(arc & 0x7fn)]
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80)
    out.push(...digits)
  }
  return Uint8Array.from(out)
}

function badOid(text: string): DerError {
  return new DerError('DER_VALUE', 'not an object identifier', {
    expected: 'dotted numbers such as 1.2.840',
    found: text.slice(0, 40),
  })
}

export function derOctetString(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.OCTET_STRING, ...parts)
}

export function derBitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return der(TAG.BIT_STRING, Uint8Array.of(unusedBits), bytes)
}

export function derBoolean(value: boolean): Uint8Array {
  return der(TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0))
}

export function derNull(): Uint8Array {
  return der(TAG.NULL)
}

export function derUtf8String(text: string): Uint8Array {
  return der(TAG.UTF8_STRING, encodeUtf8(text))
}

export function derPrintableString(text: string): Uint8Array {
  return der(TAG.PRINTABLE_STRING, encodeUtf8(text))
}

export function derIa5String(text: string): Uint8Array {
  return der(TAG.IA5_STRING, encodeUtf8(text))
}

/** A certificate's time (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime after. Milliseconds are cut off. */
export function derTime(time: UnixMillis): Uint8Array {
  const text = timeText(time)
  const year = Number(text.slice(0, 4))
  return year >= 1950 && year < 2050
    ? der(TAG.UTC_TIME, encodeUtf8(text.slice(2)))
    : der(TAG.GENERALIZED_TIME, encodeUtf8(text))
}

/** GeneralizedTime to the second. Milliseconds are cut off. */
export function derGeneralizedTime(time: UnixMillis): Uint8Array {
  return der(TAG.GENERALIZED_TIME, encodeUtf8(timeText(time)))
}

function timeText(time: UnixMillis): string {
  const text = new Date(time).toISOString()
  if (text.length !== 24) throw new DerError('DER_VALUE', 'a time outside the years 0 to 9999', { found: text })
  return text.slice(0, 19).replace(/[-:T]/g, '') + 'Z'
}

/** [n] EXPLICIT: the parts inside a constructed context-specific element. */
export function derExplicit(n: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return der(contextTag(n, { constructed: true }), ...parts)
}

/** [n] IMPLICIT: the given content under a context-specific tag. */
export function derImplicit(n: number, content: Uint8Array, form: { readonly constructed?: boolean } = {}): Uint8Array {
  return der(contextTag(n, form), content)
}
