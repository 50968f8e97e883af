/** What can go wrong between a signer and the certificate authority. @module */
import { CodedError } from '#errors'

export type FulcioErrorCode =
  'FULCIO_IDENTITY_REFUSED' | 'FULCIO_REQUEST_REFUSED' | 'FULCIO_UNAVAILABLE' | 'FULCIO_RESPONSE'

/** No certificate was issued, or what came back is none. */
export class FulcioError extends CodedError<FulcioErrorCode> {
  override readonly name = 'FulcioError'
}
