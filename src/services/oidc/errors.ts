/** What can go wrong at the issuer, its HTTP status, and its name in OAuth's own vocabulary. @module */
import { CodedError } from '#errors'
import type { BodyErrorCode } from '../http/body.js'
import { BODY_PROBLEMS } from '../http/problems.js'
import type { ProblemShape, ProblemTable } from '../http/problems.js'

export type OidcErrorCode =
  /** The client id is not the one that this issuer serves. */
  | 'OIDC_CLIENT_UNKNOWN'
  /** The redirect address is neither on the loopback interface nor on the list. */
  | 'OIDC_REDIRECT_URI'
  /** Another response type than `code`. */
  | 'OIDC_RESPONSE_TYPE'
  /** The scope lacks `openid`. */
  | 'OIDC_SCOPE'
  /** The proof key (PKCE, S256) is missing or malformed, or the verifier does not fit it. */
  | 'OIDC_PKCE'
  /** A parameter is missing, repeated or too long. */
  | 'OIDC_PARAMETER'
  /** The page was open for too long, or comes from before a restart. */
  | 'OIDC_FORM_EXPIRED'
  /** A form was sent by something else than the page that this issuer made. */
  | 'OIDC_FORM_FORGED'
  /** Wrong name or password. */
  | 'OIDC_CREDENTIALS'
  /** Too many wrong guesses; wait. */
  | 'OIDC_TOO_MANY_ATTEMPTS'
  /** A grant type that this issuer does not know. */
  | 'OIDC_GRANT_TYPE'
  /** The authorization code or device code is unknown, used, expired, or somebody else's. */
  | 'OIDC_GRANT_INVALID'
  /** The person has not answered yet. */
  | 'OIDC_DEVICE_PENDING'
  /** The program asks more often than it was told to. */
  | 'OIDC_DEVICE_SLOW_DOWN'
  /** The person took too long. */
  | 'OIDC_DEVICE_EXPIRED'
  /** The person said no. */
  | 'OIDC_DEVICE_DENIED'
  /** No sign-in waits under this code. */
  | 'OIDC_DEVICE_CODE'
  /** The name is not an e-mail address, which every identity of this issuer is. */
  | 'OIDC_USER_INVALID'
  /** The users file cannot be used. */
  | 'OIDC_USERS_FILE'
  /** The request was sent to another host name than the issuer's. */
  | 'OIDC_HOST'
  /** The local secret is wrong. */
  | 'OIDC_LOCAL_SECRET'

/** The issuer refuses a request. */
export class OidcError extends CodedError<OidcErrorCode> {
  override readonly name = 'OidcError'
}

/** Every code's status where the answer is JSON or a page of our own. */
export const PROBLEMS: ProblemTable<OidcErrorCode | BodyErrorCode> = {
  ...BODY_PROBLEMS,
  OIDC_CLIENT_UNKNOWN: { status: 401 },
  OIDC_REDIRECT_URI: { status: 400 },
  OIDC_RESPONSE_TYPE: { status: 400 },
  OIDC_SCOPE: { status: 400 },
  OIDC_PKCE: { status: 400 },
  OIDC_PARAMETER: { status: 400 },
  OIDC_FORM_EXPIRED: { status: 400 },
  OIDC_FORM_FORGED: { status: 403 },
  OIDC_CREDENTIALS: { status: 401 },
  OIDC_TOO_MANY_ATTEMPTS: { status: 429, headers: () => ({ 'retry-after': '60' }) },
  OIDC_GRANT_TYPE: { status: 400 },
  OIDC_GRANT_INVALID: { status: 400 },
  OIDC_DEVICE_PENDING: { status: 400 },
  OIDC_DEVICE_SLOW_DOWN: { status: 400 },
  OIDC_DEVICE_EXPIRED: { status: 400 },
  OIDC_DEVICE_DENIED: { status: 400 },
  OIDC_DEVICE_CODE: { status: 404 },
  OIDC_USER_INVALID: { status: 400 },
  OIDC_USERS_FILE: { status: 500 },
  OIDC_HOST: { status: 421 },
  OIDC_LOCAL_SECRET: { status: 403 },
}

/** RFC 6749 §5.2 and §4.1.2.1, RFC 8628 §3.5; everything else is `invalid_request`. */
const OAUTH_NAMES: ReadonlyMap<string, string> = new Map<OidcErrorCode, string>([
  ['OIDC_CLIENT_UNKNOWN', 'invalid_client'],
  ['OIDC_RESPONSE_TYPE', 'unsupported_response_type'],
  ['OIDC_SCOPE', 'invalid_scope'],
  ['OIDC_GRANT_TYPE', 'unsupported_grant_type'],
  ['OIDC_GRANT_INVALID', 'invalid_grant'],
  ['OIDC_PKCE', 'invalid_grant'],
  ['OIDC_DEVICE_PENDING', 'authorization_pending'],
  ['OIDC_DEVICE_SLOW_DOWN', 'slow_down'],
  ['OIDC_DEVICE_EXPIRED', 'expired_token'],
  ['OIDC_DEVICE_DENIED', 'access_denied'],
  ['OIDC_LOCAL_SECRET', 'access_denied'],
  ['OIDC_TOO_MANY_ATTEMPTS', 'temporarily_unavailable'],
])

/** The `error` that OAuth clients branch on. */
export function oauthName(code: string): string {
  return OAUTH_NAMES.get(code) ?? 'invalid_request'
}

/** The error body of OAuth's JSON endpoints. */
export const oauthShape: ProblemShape = ({ code, title }) => ({ error: oauthName(code), error_description: title })
