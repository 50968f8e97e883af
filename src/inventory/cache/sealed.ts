/** Texts with their digest before them: half a file, or a file of another version, is no file. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'

/** Counts up whenever the meaning of what is stored changes; nothing of another version is read. */
export const CACHE_FORMAT = 1

const HEADER = `countersign inventory ${String(CACHE_FORMAT)} `
const HEADER_LENGTH = HEADER.length + 64 + 1

/** One line with the version and the digest, then the text. */
export function seal(text: string): Uint8Array {
  const body = encodeUtf8(text)
  const sealed = new Uint8Array(HEADER_LENGTH + body.length)
  sealed.set(encodeUtf8(`${HEADER}${encodeHex(sha256(body))}\n`))
  sealed.set(body, HEADER_LENGTH)
  return sealed
}

/** The text, or undefined if this is not, or not all of, what was sealed. */
export function unseal(bytes: Uint8Array): string | undefined {
  const body = bytes.subarray(HEADER_LENGTH)
  const header = bytes.subarray(0, HEADER_LENGTH)
  if (header.length < HEADER_LENGTH) return undefined
  try {
    return decodeUtf8(header) === `${HEADER}${encodeHex(sha256(body))}\n` ? decodeUtf8(body) : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}
