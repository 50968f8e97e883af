/** Reading DER (ITU-T X.690), strictly: one encoding for one value, every length bounded. @module */
import { CodedError } from '#errors'
import type { UnixMillis } from '#time'
import { utcMillis } from '#time'
import { decodeUtf8 } from './utf8.js'

export type DerErrorCode =
  /** A DER element is missing or goes on past its container. */
  | 'DER_TRUNCATED'
  /** A length is not in the one form that DER allows. */
  | 'DER_LENGTH'
  /** A DER element has another type than the structure asks for. */
  | 'DER_TAG'
  /** Bytes follow where a DER structure ends. */
  | 'DER_TRAILING'
  /** A DER value is not what its type allows. */
  | 'DER_VALUE'

/** Bytes are not the DER that was expected. */
export class DerError extends CodedError<DerErrorCode> {
  override readonly name = 'DerError'
}

/** Identifier octets of the universal types in use, constructed bit included. */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  UTF8_STRING: 0x0c,
  NUMERIC_STRING: 0x12,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  VISIBLE_STRING: 0x1a,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const

/** The identifier octet of a context-specific tag [n], n below 31. */
export function contextTag(n: number, form: { readonly constructed?: boolean } = {}): number {
  return 0x80 | (form.constructed === true ? 0x20 : 0) | n
}

/** One tag-length-value. The arrays share memory with the input. */
export interface DerElement {
  /** The identifier octet; tags are always below 31. */
  readonly tag: number
  /** The whole element, identifier and length included. */
  readonly bytes: Uint8Array
  /** The value alone. */
  readonly content: Uint8Array
  /** A reader over the elements inside. */
  contents(): DerReader
}

/** Walks the elements that stand one after another in a byte array. */
export class DerReader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Whether everything has been read. */
  get done(): boolean {
    return this.#offset >= this.#bytes.length
  }

  /** The identifier octet of the next element, if there is one. */
  peek(): number | undefined {
    return this.#bytes[this.#offset]
  }

  /**
   * The next element, which must have the given tag if one is given.
   * @throws {@link DerError} if there is none, it has another tag, or its length is not DER.
   */
  next(tag?: number): DerElement {
    const found = this.peek()
    if (found === undefined) throw new DerError('DER_TRUNCATED', 'an element is missing', { expected: tagText(tag) })
    if (tag !== undefined && found !== tag) {
      throw new DerError('DER_TAG', 'an element has another type', { expected: tagText(tag), found: tagText(found) })
    }
    if ((found & 0x1f) === 0x1f)
      throw new DerError('DER_TAG', 'tags of several bytes are not used here', { found: tagText(found) })
    const header = readLength(this.#bytes, this.#offset + 1)
    const end = header.contentStart + header.length
    if (end > this.#bytes.length) {
      throw new DerError('DER_TRUNCATED', 'an element goes on past its container', {
        expected: `${String(header.length)} bytes`,
        found: `${String(this.#bytes.length - header.contentStart)} bytes`,
      })
    }
    const element = new Element(
      found,
      this.#bytes.subarray(this.#offset, end),
      this.#bytes.subarray(header.contentStart, end),
    )
    this.#offset = end
    return element
  }

  /** The next element if it has the given tag, else nothing is read. */
  optional(tag: number): DerElement | undefined {
    return this.peek() === tag ? this.next(tag) : undefined
  }

  /** @throws {@link DerError} DER_TRAILING if something is left. */
  end(): void {
    if (this.done) return
    throw new DerError('DER_TRAILING', 'bytes follow where the structure ends', {
      found: `${String(this.#bytes.length - this.#offset)} bytes`,
    })
  }
}

class Element implements DerElement {
  readonly tag: number
  readonly bytes: Uint8Array
  readonly content: Uint8Array

  constructor(tag: number, bytes: Uint8Array, content: Uint8Array) {
    this.tag = tag
    this.bytes = bytes
    this.content = content
  }

  contents(): DerReader {
    return new DerReader(this.content)
  }
}

/** Reads exactly one element, with nothing after it. @throws {@link DerError} */
export function readDer(bytes: Uint8Array, tag?: number): DerElement {
  const reader = new DerReader(bytes)
  const element = reader.next(tag)
  reader.end()
  return element
}

function readLength(bytes: Uint8Array, at: number): { readonly contentStart: number; readonly length: number } {
  const first = bytes[at]
  if (first === undefined) throw new DerError('DER_TRUNCATED', 'the length is missing')
  if (first < 0x80) return { contentStart: at + 1, length: first }
  const count = first & 0x7f
  if (count === 0 || count > 4) {
    throw new DerError('DER_LENGTH', 'a length form that DER does not allow', { found: `0x${first.toString(16)}` })
  }
  let length = 0
  for (let i = 1; i <= count; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new DerError('DER_TRUNCATED', 'the length ends too early')
    length = length * 256 + byte
  }
  // X.690 §10.1: the shortest form only.
  if (length < 0x80 || length < 256 ** (count - 1))
    throw new DerError('DER_LENGTH', 'a length is not in its shortest form')
  return { contentStart: at + 1 + count, length }
}

/** @throws {@link DerError} unless the element is a BOOLEAN of DER's two values. */
export function readBoolean(element: DerElement): boolean {
  expectTag(element, TAG.BOOLEAN)
  const [value] = element.content
  if (element.content.length !== 1 || (value !== 0 && value !== 0xff)) throw invalid('a BOOLEAN of 00 or FF')
  return value === 0xff
}

/** The content of an INTEGER, two's complement, minimal. @throws {@link DerError} */
export function readIntegerBytes(element: DerElement): Uint8Array {
  expectTag(element, TAG.INTEGER)
  const [first, second] = element.content
  if (first === undefined) throw invalid('an INTEGER of at least one byte')
  // X.690 §8.3.2: the first nine bits are never all the same.
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw invalid('an INTEGER in its shortest form')
  }
  return element.content
}

/** @throws {@link DerError} unless the element is an INTEGER. */
export function readInteger(element: DerElement): bigint {
  const bytes = readIntegerBytes(element)
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return (bytes[0] ?? 0) < 0x80 ? value : value - (1n << BigInt(bytes.length * 8))
}

/** A small non-negative INTEGER (or ENUMERATED) as a number. @throws {@link DerError} if it is negative or 2^31 or more. */
export function readSmallInteger(element: DerElement): number {
  if (element.tag !== TAG.ENUMERATED) readIntegerBytes(element)
  if (element.content.length === 0 || element.content.length > 4 || (element.content[0] ?? 0) >= 0x80) {
    throw invalid('a small non-negative INTEGER')
  }
  return element.content.reduce((value, byte) => value * 256 + byte, 0)
}

/** The dotted form of an OBJECT IDENTIFIER. @throws {@link DerError} */
export function readOid(element: DerElement): string {
  expectTag(element, TAG.OID)
  return decodeOid(element.content)
}

/** The dotted form of an object identifier's content bytes. @throws {@link DerError} */
export function decodeOid(content: Uint8Array): string {
  if (content.length === 0 || (content.at(-1) ?? 0) >= 0x80) throw invalid('a whole OBJECT IDENTIFIER')
  let text = ''
  let start = 0
  let arc = 0
  for (let i = 0; i < content.length; i++) {
    const byte = content[i] ?? 0
    if (i === start && byte === 0x80) throw invalid('an OBJECT IDENTIFIER in its shortest form')
    arc = arc * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    // Beyond 49 bits a number is no longer exact; such arcs are rare (UUID-based ones), and bigints cost a multiple.
    const exact = i - start < 7 ? arc : readLargeArc(content.subarray(start, i + 1))
    text += text === '' ? firstArcs(exact) : `.${String(exact)}`
    start = i + 1
    arc = 0
  }
  return text
}

function readLargeArc(bytes: Uint8Array): bigint {
  let arc = 0n
  for (const byte of bytes) {
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (arc > MAX_ARC) throw invalid('OBJECT IDENTIFIER arcs below 2^128')
  }
  return arc
}

/** The first two arcs are written as one number (X.690 §8.19.4). */
function firstArcs(arc: number | bigint): string {
  if (typeof arc === 'bigint') return `2.${String(arc - 80n)}`
  const top = Math.min(Math.floor(arc / 40), 2)
  return `${String(top)}.${String(arc - top * 40)}`
}

const MAX_ARC = (1n << 128n) - 1n

/** @throws {@link DerError} unless the element is a BIT STRING whose unused bits are zero (X.690 §11.2.1). */
export function readBitString(element: DerElement): { readonly bytes: Uint8Array; readonly unusedBits: number } {
  expectTag(element, TAG.BIT_STRING)
  const unusedBits = element.content[0]
  const bytes = element.content.subarray(1)
  if (unusedBits === undefined || unusedBits > 7 || (bytes.length === 0 && unusedBits > 0))
    throw invalid('a BIT STRING')
  if (((bytes.at(-1) ?? 0) & ((1 << unusedBits) - 1)) !== 0) throw invalid('zeros in the unused bits of a BIT STRING')
  return { bytes, unusedBits }
}

/** A BIT STRING of whole bytes: a key or a signature. @throws {@link DerError} */
export function readBitStringBytes(element: DerElement): Uint8Array {
  const { bytes, unusedBits } = readBitString(element)
  if (unusedBits !== 0) throw invalid('a BIT STRING of whole bytes')
  return bytes
}

/** @throws {@link DerError} unless the element is an OCTET STRING. */
export function readOctetString(element: DerElement): Uint8Array {
  expectTag(element, TAG.OCTET_STRING)
  return element.content
}

/** @throws {@link DerError} unless the element is NULL. */
export function readNull(element: DerElement): void {
  expectTag(element, TAG.NULL)
  if (element.content.length !== 0) throw invalid('an empty NULL')
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,8}[1-9]))?Z$/

/**
 * UTCTime (years 1950–2049, RFC 5280 §4.1.2.5.1) or GeneralizedTime, in UTC, with seconds. Fractions are cut to milliseconds.
 * @throws {@link DerError}
 */
export function readTime(element: DerElement): UnixMillis {
  const text = latin1(element.content)
  const match =
    element.tag === TAG.UTC_TIME
      ? UTC_TIME.exec(text)
      : element.tag === TAG.GENERALIZED_TIME
        ? GENERALIZED_TIME.exec(text)
        : null
  if (match === null) throw invalid('a UTCTime or GeneralizedTime in UTC with seconds')
  const [first = 0, ...rest] = match.slice(1, 7).map(Number)
  const year = element.tag === TAG.UTC_TIME ? (first < 50 ? 2000 + first : 1900 + first) : first
  const time = utcMillis([year, ...rest])
  if (time === undefined) throw invalid('a time that exists')
  return time + Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
}

/** The text of any of the string types. @throws {@link DerError} if it is none of them or holds bytes that its type does not allow. */
export function readString(element: DerElement): string {
  switch (element.tag) {
    case TAG.UTF8_STRING:
      return decodeUtf8(element.content)
    case TAG.T61_STRING:
      return latin1(element.content)
    case TAG.BMP_STRING:
      return utf16(element.content)
    case TAG.PRINTABLE_STRING:
    case TAG.NUMERIC_STRING:
    case TAG.IA5_STRING:
    case TAG.VISIBLE_STRING:
      return decodeAscii(element.content)
    default:
      throw new DerError('DER_TAG', 'an element is not a text', { found: tagText(element.tag) })
  }
}

/** Seven-bit text. @throws {@link DerError} */
export function decodeAscii(content: Uint8Array): string {
  if (content.some((byte) => byte >= 0x80)) throw invalid('ASCII text')
  return latin1(content)
}

function latin1(content: Uint8Array): string {
  let text = ''
  for (const byte of content) text += String.fromCharCode(byte)
  return text
}

function utf16(content: Uint8Array): string {
  if (content.length % 2 !== 0) throw invalid('a BMPString of byte pairs')
  let text = ''
  for (let i = 0; i < content.length; i += 2)
    text += String.fromCharCode(((content[i] ?? 0) << 8) | (content[i + 1] ?? 0))
  return text
}

function expectTag(element: DerElement, tag: number): void {
  if (element.tag === tag) return
  throw new DerError('DER_TAG', 'an element has another type', { expected: tagText(tag), found: tagText(element.tag) })
}

function tagText(tag: number | undefined): string {
  if (tag === undefined) return 'an element'
  const name = Object.entries(TAG).find(([, value]) => value === tag)?.[0]
  return name ?? `tag 0x${tag.toString(16).padStart(2, '0')}`
}

function invalid(expected: string): DerError {
  return new DerError('DER_VALUE', 'a value is not what its type allows', { expected })
}
