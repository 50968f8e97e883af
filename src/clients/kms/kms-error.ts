/** Why a key of a key management service cannot be had or used. @module */
import { CodedError } from '#errors'

export type KmsErrorCode =
  /** What was given is not the address of a key at a key management service, or of one that no login may be sent to. */
  | 'KMS_URI'
  /** A setting is missing or wrong that the address of the key leaves to the environment, such as `VAULT_ADDR` or the region. */
  | 'KMS_SETTINGS'
  /** There is no login for the key management service, or it does not take the one that there is. */
  | 'KMS_CREDENTIALS'
  /** The key management service knows who asks, and does not let them. */
  | 'KMS_DENIED'
  /** The key management service has no such key, or no such version of it. */
  | 'KMS_NOT_FOUND'
  /** The key is there, and is not for signatures, or not enabled. */
  | 'KMS_KEY_USAGE'
  /** The key is of a type that countersign does not use. */
  | 'KMS_KEY_TYPE'
  /** There is a key of this name already, or there was one and its name is not free yet. */
  | 'KMS_EXISTS'
  /** A key was made at its service and could not be given its name; the text says which one is left behind. */
  | 'KMS_UNFINISHED'
  /** The key management service makes no keys for the algorithm. */
  | 'KMS_ALGORITHM'
  /** The key signs messages rather than digests, and the message is larger than its service takes. */
  | 'KMS_MESSAGE_SIZE'
  /** The key management service refused for another reason, which is in the text. */
  | 'KMS_REFUSED'
  /** The answer of the key management service is not what it should be, or comes from elsewhere. */
  | 'KMS_RESPONSE'
  /** The key management service cannot be reached, or says that it cannot answer now. */
  | 'KMS_UNREACHABLE'

/** A key at a key management service cannot be had or used. Its text never holds any part of a login. */
export class KmsError extends CodedError<KmsErrorCode> {
  override readonly name = 'KmsError'
}
