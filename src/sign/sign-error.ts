/** What can go wrong while signing. @module */
import { CodedError } from '#errors'

export type SignErrorCode =
  | 'SIGN_NO_SERVICE'
  | 'SIGN_TOKEN_MALFORMED'
  | 'SIGN_CERTIFICATE_KEY'
  | 'SIGN_CERTIFICATE_IDENTITY'
  | 'SIGN_CERTIFICATE_CHAIN'
  | 'SIGN_CERTIFICATE_EXPIRED'
  | 'SIGN_UNVERIFIABLE'
  | 'SIGN_ENTRY_KIND'
  | 'SIGN_PREDICATE'
  | 'SIGN_STATEMENT'

/** A signature could not be made, or what the services returned for it does not hold. Nothing has been handed out. */
export class SignError extends CodedError<SignErrorCode> {
  override readonly name = 'SignError'
}
