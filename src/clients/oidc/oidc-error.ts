/** Why there is no identity token. @module */
import { CodedError } from '#errors'

export type OidcErrorCode =
  /** Nobody to ask and nothing to find: says what is missing. */
  | 'OIDC_NO_IDENTITY'
  /** A provider that should have given a token did not. */
  | 'OIDC_PROVIDER'
  | 'OIDC_UNKNOWN_PROVIDER'
  /** What was given is no token. */
  | 'OIDC_TOKEN'
  /** The issuer's discovery document cannot be used. */
  | 'OIDC_DISCOVERY'
  /** The login was refused, or not finished in time. */
  | 'OIDC_LOGIN'
  | 'OIDC_LOGIN_TIMEOUT'
  /** An answer that does not belong to this login. */
  | 'OIDC_MISMATCH'
  | 'OIDC_FLOW'

/** No identity token could be had. Its text never holds any part of a token. */
export class OidcError extends CodedError<OidcErrorCode> {
  override readonly name = 'OidcError'
}
