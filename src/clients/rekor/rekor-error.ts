/** What can go wrong between a client and a Rekor of either version. @module */
import { CodedError } from '#errors'

export type RekorErrorCode =
  | 'REKOR_REFUSED'
  | 'REKOR_TOO_LARGE'
  | 'REKOR_FROZEN'
  | 'REKOR_NOT_FOUND'
  | 'REKOR_UNAVAILABLE'
  | 'REKOR_RESPONSE'
  | 'REKOR_DUPLICATE'

/** Nothing was logged, or what came back is no log entry. */
export class RekorError extends CodedError<RekorErrorCode> {
  override readonly name = 'RekorError'
}
