/** Texts with a digest before them: half a file, a file of another version, or one under another's name is no file. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { concatBytes, equalBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'

/** Counts up whenever the meaning of what is stored changes; nothing of another version is read. */
export const CACHE_FORMAT = 1

const HEADER = `countersign inventory ${String(CACHE_FORMAT)} `
const HEADER_LENGTH = HEADER.length + 64 + 1

/** One line with the version and the digest of name and text, then the text. */
export function seal(name: string, text: string): Uint8Array {
  const body = encodeUtf8(text)
  const header = headerOf(name, body)
  const sealed = new Uint8Array(header.length + body.length)
  sealed.set(header)
  sealed.set(body, header.length)
  return sealed
}

/** The text, or undefined if this is not, or not all of, what was sealed under the name. */
export function unseal(name: string, bytes: Uint8Array): string | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined
  const body = bytes.subarray(HEADER_LENGTH)
  try {
    return equalBytes(bytes.subarray(0, HEADER_LENGTH), headerOf(name, body)) ? decodeUtf8(body) : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function headerOf(name: string, body: Uint8Array): Uint8Array {
  const content = concatBytes(sha256(encodeUtf8(name)), sha256(body))
  return encodeUtf8(`${HEADER}${encodeHex(sha256(content))}\n`)
}
