/** What can be wrong with keys, and with signatures made by them. @module */
import { CodedError } from '#errors'

export type KeyErrorCode =
  /** Bytes or a text are not the key that was expected. */
  | 'KEY_MALFORMED'
  /** A key is of a kind that countersign does not use. */
  | 'KEY_UNSUPPORTED'
  /** A key is too small, too large, or has unsound numbers. */
  | 'KEY_WEAK'
  /** A key is encrypted where an unencrypted one is read. */
  | 'KEY_ENCRYPTED'
  /** A key does not fit the algorithm that it is used with. */
  | 'KEY_ALGORITHM_MISMATCH'
  /** The algorithm signs messages, so a digest is not enough. */
  | 'KEY_DIGEST_UNSUPPORTED'
  /** A digest has another size than the algorithm uses. */
  | 'KEY_DIGEST_SIZE'
  /** An algorithm is named that countersign does not use. */
  | 'ALGORITHM_UNKNOWN'

/** A key cannot be read, or cannot do what was asked of it. Never holds key material. */
export class KeyError extends CodedError<KeyErrorCode> {
  override readonly name = 'KeyError'
}
