/** Why a private Sigstore does not start. @module */
import { CodedError } from '#errors'

export type UpErrorCode =
  /** Another process serves from this data directory. */
  | 'UP_DATA_IN_USE'
  /** The data directory cannot be read or written. */
  | 'UP_DATA_ACCESS'
  /** The data directory belongs to a version that this one does not know, or its description is damaged. */
  | 'UP_DATA_FORMAT'
  /** A key that was made on the first start is gone. */
  | 'UP_KEY_MISSING'
  /** A key is not the one that was made on the first start. */
  | 'UP_KEY_CHANGED'
  /** A key file cannot be read as what it should be. */
  | 'UP_KEY_MALFORMED'
  /** Others than the owner may read a key file. */
  | 'UP_KEY_PERMISSIONS'
  /** The keys are encrypted and no password was given. */
  | 'UP_PASSWORD_MISSING'
  /** The keys do not open with the password. */
  | 'UP_PASSWORD_WRONG'
  /** Sign-in without passwords would be open to strangers. */
  | 'UP_OPEN_SIGN_IN'
  /** Nothing was ever started in this data directory. */
  | 'UP_NO_INSTANCE'
  /** No instance runs from this data directory. */
  | 'UP_NOT_RUNNING'
  /** The instance does not hand out tokens by itself, since it asks people for their passwords. */
  | 'UP_NO_LOCAL_TOKENS'
  /** The running instance did not give a token. */
  | 'UP_TOKEN_REFUSED'
  /** An address is not an absolute http(s) URL without path and query. */
  | 'UP_URL'
  /** A log is damaged. */
  | 'UP_LOG_DAMAGED'

/** A private Sigstore cannot be started or asked. */
export class UpError extends CodedError<UpErrorCode> {
  override readonly name = 'UpError'
}
