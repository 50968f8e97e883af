/** Why a cloud does not say who this is. @module */
import { CodedError } from '#errors'

export type CloudErrorCode =
  /** A cloud was asked for a login or a token, by settings that are there, and gives none. */
  | 'CLOUD_CREDENTIALS'
  /** A file or a variable that says who this is to a cloud is malformed or incomplete, or asks for what is not supported. */
  | 'CLOUD_SETTINGS'
  /** A login at a cloud that a person began has run out: only they can renew it. */
  | 'CLOUD_LOGIN_EXPIRED'

/** A cloud gives no credentials. Its text never holds any part of one. */
export class CloudError extends CodedError<CloudErrorCode> {
  override readonly name = 'CloudError'
}
