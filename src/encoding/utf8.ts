/** UTF-8 text. @module */
import { EncodingError } from './encoding-error.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The UTF-8 bytes of a text. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** @throws {@link EncodingError} UTF8 if the bytes are not valid UTF-8. A byte order mark is kept as text. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new EncodingError('UTF8', 'the bytes are not UTF-8 text', { cause })
  }
}
