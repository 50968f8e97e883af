/** What can go wrong while signing. @module */
import { CodedError } from '#errors'

export type SignErrorCode =
  /** The identity token is not a JWT, or does not say who it is about. */
  | 'SIGN_TOKEN_MALFORMED'
  /** A certificate is for another key than the one that signs. */
  | 'SIGN_CERTIFICATE_KEY'
  /** The certificate authority certified somebody else than was asked for. */
  | 'SIGN_CERTIFICATE_IDENTITY'
  /** What the services returned does not verify against the trusted root; nothing was written. */
  | 'SIGN_UNVERIFIABLE'
  /** A log cannot record a signature of this algorithm. */
  | 'SIGN_ENTRY_KIND'
  /** A file begins like the encoding of a DSSE envelope: its signature would be one on that envelope, too. */
  | 'SIGN_CONFUSABLE'
  /** The predicate is not of its type. */
  | 'SIGN_PREDICATE'

/** A signature could not be made, or what the services returned for it does not hold. Nothing has been handed out. */
export class SignError extends CodedError<SignErrorCode> {
  override readonly name = 'SignError'
}
