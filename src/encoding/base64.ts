/** Base64 and base64url (RFC 4648), strict: one text for one value. @module */
import { EncodingError } from './encoding-error.js'

/** Standard base64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  return bufferOver(bytes).toString('base64')
}

/** base64url without padding (RFC 4648 §5, as JOSE writes it). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return bufferOver(bytes).toString('base64url')
}

/** @throws {@link EncodingError} BASE64 unless the text is canonical standard base64 with padding. */
export function decodeBase64(text: string): Uint8Array {
  return decode(text, 'base64')
}

/** @throws {@link EncodingError} BASE64 unless the text is canonical base64url without padding. */
export function decodeBase64Url(text: string): Uint8Array {
  return decode(text, 'base64url')
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
  return decode(body.replaceAll('+', '-').replaceAll('/', '_'), 'base64url')
}

/** Node's decoder passes over whatever is no base64; only a text that comes out again as it was is one. */
function decode(text: string, encoding: 'base64' | 'base64url'): Uint8Array {
  const bytes = Buffer.from(text, encoding)
  if (bytes.toString(encoding) !== text) throw malformed(text)
  return new Uint8Array(bytes)
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function withoutPadding(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0x3d) end--
  return text.slice(0, end)
}

// The text itself may be a token or a key, so it is never quoted.
function malformed(text: string): EncodingError {
  return new EncodingError('BASE64', 'not base64 text', { found: `${String(text.length)} characters` })
}
