/** Base64 and base64url (RFC 4648), strict: one text for one value. @module */
import { EncodingError } from './encoding-error.js'

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const letters = new TextEncoder()
const ALPHABET = letters.encode(`${LETTERS_AND_DIGITS}+/`)
const URL_ALPHABET = letters.encode(`${LETTERS_AND_DIGITS}-_`)
const VALUES = valuesOf(ALPHABET)
const URL_VALUES = valuesOf(URL_ALPHABET)
const ANY_VALUES = VALUES.map((value, code) => Math.max(value, URL_VALUES[code] ?? -1))
const ascii = new TextDecoder()
/** The digit for six bits that are zero. */
const ZERO = 'A'

/** Standard base64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encode(bytes, ALPHABET)
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** base64url without padding (RFC 4648 §5, as JOSE writes it). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_ALPHABET)
}

/** @throws {@link EncodingError} BASE64 unless the text is canonical standard base64 with padding. */
export function decodeBase64(text: string): Uint8Array {
  const body = withoutPadding(text)
  if (text.length % 4 !== 0 || text.length - body.length > 2) throw malformed(text)
  return decode(body, VALUES, text)
}

/** @throws {@link EncodingError} BASE64 unless the text is canonical base64url without padding. */
export function decodeBase64Url(text: string): Uint8Array {
  return decode(text, URL_VALUES, text)
}

/**
 * What protobuf's JSON mapping accepts for bytes: either alphabet, with or without padding. Line breaks inside are passed
 * over, as Go does it: real bundles have them.
 * @throws {@link EncodingError} BASE64
 */
export function decodeBase64Any(wrapped: string): Uint8Array {
  const text = wrapped.includes('\n') || wrapped.includes('\r') ? wrapped.replace(/[\r\n]/g, '') : wrapped
  const body = withoutPadding(text)
  if (body.length !== text.length && (text.length % 4 !== 0 || text.length - body.length > 2)) throw malformed(text)
  return decode(body, ANY_VALUES, text)
}

/** Writes the digits as bytes and makes a text of them at once: joining single characters is ten times as slow. */
function encode(bytes: Uint8Array, alphabet: Uint8Array): string {
  const out = new Uint8Array(Math.ceil((bytes.length * 4) / 3))
  let written = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    // Writes past the end of the array are ignored, which is right for the last, shorter group.
    out[written++] = alphabet[group >>> 18] ?? 0
    out[written++] = alphabet[(group >>> 12) & 63] ?? 0
    out[written++] = alphabet[(group >>> 6) & 63] ?? 0
    out[written++] = alphabet[group & 63] ?? 0
  }
  return ascii.decode(out)
}

/** Takes four digits at a time: a short command is through with it before the engine has optimized the loop. */
function decode(body: string, values: Int8Array, whole: string): Uint8Array {
  const missing = (4 - (body.length % 4)) % 4
  if (missing === 3) throw malformed(whole)
  const digits = letters.encode(body + ZERO.repeat(missing))
  const out = new Uint8Array(Math.ceil(digits.length / 4) * 3)
  let written = 0
  for (let i = 0; i < digits.length; i += 4) {
    const group =
      ((values[digits[i] ?? 0] ?? -1) << 18) |
      ((values[digits[i + 1] ?? 0] ?? -1) << 12) |
      ((values[digits[i + 2] ?? 0] ?? -1) << 6) |
      (values[digits[i + 3] ?? 0] ?? -1)
    if (group < 0) throw malformed(whole) // one of the four is no digit
    out[written++] = group >>> 16
    out[written++] = group >>> 8
    out[written++] = group
  }
  // Bits past the last byte must be zero, or two texts would stand for one value.
  const size = out.length - missing
  if (out.subarray(size).some((byte) => byte !== 0)) throw malformed(whole)
  return missing === 0 ? out : out.slice(0, size)
}

function withoutPadding(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0x3d) end--
  return text.slice(0, end)
}

function valuesOf(alphabet: Uint8Array): Int8Array {
  const values = new Int8Array(128).fill(-1)
  alphabet.forEach((code, value) => (values[code] = value))
  return values
}

// The text itself may be a token or a key, so it is never quoted.
function malformed(text: string): EncodingError {
  return new EncodingError('BASE64', 'not base64 text', { found: `${String(text.length)} characters` })
}
