/** What can be wrong with keys, and with signatures made by them. @module */
import { CodedError } from '#errors'

export type KeyErrorCode =
  | 'KEY_MALFORMED'
  | 'KEY_UNSUPPORTED'
  | 'KEY_WEAK'
  | 'KEY_ENCRYPTED'
  | 'KEY_ALGORITHM_MISMATCH'
  | 'KEY_DIGEST_UNSUPPORTED'
  | 'KEY_DIGEST_SIZE'
  | 'ALGORITHM_UNKNOWN'

/** A key cannot be read, or cannot do what was asked of it. Never holds key material. */
export class KeyError extends CodedError<KeyErrorCode> {
  override readonly name = 'KeyError'
}
