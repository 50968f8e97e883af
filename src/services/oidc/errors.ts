/** What can go wrong at the issuer, its HTTP status, and its name in OAuth's own vocabulary. @module */
import { CodedError } from '#errors'
import type { BodyErrorCode } from '#serving/body'
import { BODY_PROBLEMS } from '#serving/problems'
import type { ProblemShape, ProblemTable } from '#serving/problems'

export type IssuerErrorCode =
  /** The client id is not the one that this issuer serves. */
  | 'ISSUER_CLIENT_UNKNOWN'
  /** The redirect address is neither on the loopback interface nor on the list. */
  | 'ISSUER_REDIRECT_URI'
  /** Another response type than `code`. */
  | 'ISSUER_RESPONSE_TYPE'
  /** The scope lacks `openid`. */
  | 'ISSUER_SCOPE'
  /** The proof key's challenge (PKCE, S256) is missing or malformed. */
  | 'ISSUER_CHALLENGE'
  /** The proof key's verifier does not fit the challenge. */
  | 'ISSUER_VERIFIER'
  /** A parameter is missing, repeated or too long. */
  | 'ISSUER_PARAMETER'
  /** The page was open for too long, or comes from before a restart. */
  | 'ISSUER_FORM_EXPIRED'
  /** A form was sent by something else than the page that this issuer made. */
  | 'ISSUER_FORM_FORGED'
  /** Wrong name or password. */
  | 'ISSUER_CREDENTIALS'
  /** Too many wrong guesses; wait. */
  | 'ISSUER_TOO_MANY_ATTEMPTS'
  /** A grant type that this issuer does not know. */
  | 'ISSUER_GRANT_TYPE'
  /** The authorization code or device code is unknown, used, expired, or somebody else's. */
  | 'ISSUER_GRANT_INVALID'
  /** The person has not answered yet. */
  | 'ISSUER_DEVICE_PENDING'
  /** The program asks more often than it was told to. */
  | 'ISSUER_DEVICE_SLOW_DOWN'
  /** The person took too long. */
  | 'ISSUER_DEVICE_EXPIRED'
  /** The person said no. */
  | 'ISSUER_DEVICE_DENIED'
  /** No sign-in waits under this code. */
  | 'ISSUER_DEVICE_CODE'
  /** The name is not an e-mail address, which every identity of this issuer is. */
  | 'ISSUER_USER_INVALID'
  /** The users file cannot be used. */
  | 'ISSUER_USERS_FILE'
  /** The request was sent to another host name than the issuer's. */
  | 'ISSUER_HOST'
  /** The local secret is wrong. */
  | 'ISSUER_LOCAL_SECRET'

/** The issuer refuses a request. */
export class IssuerError extends CodedError<IssuerErrorCode> {
  override readonly name = 'IssuerError'
}

/** Every code's status where the answer is JSON or a page of our own. */
export const PROBLEMS: ProblemTable<IssuerErrorCode | BodyErrorCode> = {
  ...BODY_PROBLEMS,
  ISSUER_CLIENT_UNKNOWN: { status: 401 },
  ISSUER_REDIRECT_URI: { status: 400 },
  ISSUER_RESPONSE_TYPE: { status: 400 },
  ISSUER_SCOPE: { status: 400 },
  ISSUER_CHALLENGE: { status: 400 },
  ISSUER_VERIFIER: { status: 400 },
  ISSUER_PARAMETER: { status: 400 },
  ISSUER_FORM_EXPIRED: { status: 400 },
  ISSUER_FORM_FORGED: { status: 403 },
  ISSUER_CREDENTIALS: { status: 401 },
  ISSUER_TOO_MANY_ATTEMPTS: { status: 429, headers: () => ({ 'retry-after': '60' }) },
  ISSUER_GRANT_TYPE: { status: 400 },
  ISSUER_GRANT_INVALID: { status: 400 },
  ISSUER_DEVICE_PENDING: { status: 400 },
  ISSUER_DEVICE_SLOW_DOWN: { status: 400 },
  ISSUER_DEVICE_EXPIRED: { status: 400 },
  ISSUER_DEVICE_DENIED: { status: 400 },
  ISSUER_DEVICE_CODE: { status: 404 },
  ISSUER_USER_INVALID: { status: 400 },
  ISSUER_USERS_FILE: { status: 500 },
  ISSUER_HOST: { status: 421 },
  ISSUER_LOCAL_SECRET: { status: 403 },
}

/** RFC 6749 §5.2 and §4.1.2.1, RFC 7636 §4.4.1 and §4.6, RFC 8628 §3.5; everything else is `invalid_request`. */
const OAUTH_NAMES: ReadonlyMap<string, string> = new Map<IssuerErrorCode, string>([
  ['ISSUER_CLIENT_UNKNOWN', 'invalid_client'],
  ['ISSUER_RESPONSE_TYPE', 'unsupported_response_type'],
  ['ISSUER_SCOPE', 'invalid_scope'],
  ['ISSUER_GRANT_TYPE', 'unsupported_grant_type'],
  ['ISSUER_GRANT_INVALID', 'invalid_grant'],
  ['ISSUER_VERIFIER', 'invalid_grant'],
  ['ISSUER_DEVICE_PENDING', 'authorization_pending'],
  ['ISSUER_DEVICE_SLOW_DOWN', 'slow_down'],
  ['ISSUER_DEVICE_EXPIRED', 'expired_token'],
  ['ISSUER_DEVICE_DENIED', 'access_denied'],
  ['ISSUER_LOCAL_SECRET', 'access_denied'],
  ['ISSUER_TOO_MANY_ATTEMPTS', 'temporarily_unavailable'],
])

/** The `error` that OAuth clients branch on. */
export function oauthName(code: string): string {
  return OAUTH_NAMES.get(code) ?? 'invalid_request'
}

/** The error body of OAuth's JSON endpoints. */
export const oauthShape: ProblemShape = ({ code, title }) => ({ error: oauthName(code), error_description: title })
