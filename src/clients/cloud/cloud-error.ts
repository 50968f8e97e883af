/** Why a cloud does not say who this is. @module */
import { CodedError } from '#errors'

export type CloudErrorCode =
  /** A cloud was asked for a login or a token, by settings that are there, and gives none. */
  'CLOUD_CREDENTIALS'

/** A cloud gives no credentials. Its text never holds any part of one. */
export class CloudError extends CodedError<CloudErrorCode> {
  override readonly name = 'CloudError'
}
