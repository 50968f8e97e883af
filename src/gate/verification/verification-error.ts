/** What keeps a verification from being begun. @module */
import { CodedError } from '#errors'

export type VerificationErrorCode =
  /** More images are being verified than this process takes on at once. */
  'VERIFICATION_BUSY'

/** A verification that was not begun. It says nothing of the image. */
export class VerificationBusyError extends CodedError<VerificationErrorCode> {
  override readonly name = 'VerificationBusyError'
}
