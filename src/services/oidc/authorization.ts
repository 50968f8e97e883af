/** The authorization request (OpenID Connect Core §3.1.2.1) as a list of checks. @module */
import type { CodedError } from '#errors'
import { IssuerError, oauthName } from './errors.js'
import type { Issuer } from './issuer.js'
import type { Parameters } from './parameters.js'
import { readChallenge } from './pkce.js'

/** What remains of a request once it was checked. */
export interface AuthorizationRequest {
  readonly redirectUri: string
  readonly state: string | undefined
  readonly nonce: string | undefined
  readonly challenge: string
}

type Check = (parameters: Parameters, issuer: Issuer) => void

/** Until these have passed, nothing may be sent to the redirect address: it may be an attacker's (RFC 6749 §4.1.2.1). */
const BEFORE_REDIRECT: readonly Check[] = [checkClient, checkRedirectUri]

const AFTER_REDIRECT: readonly Check[] = [checkResponseType, checkResponseMode, checkScope, checkChallenge, checkPrompt]

/** The outcome of looking at a request. */
export type CheckedAuthorization =
  | { readonly kind: 'accepted'; readonly request: AuthorizationRequest }
  /** The client learns of it at its redirect address. */
  | { readonly kind: 'refused'; readonly location: string }

/** @throws IssuerError ISSUER_CLIENT_UNKNOWN, ISSUER_REDIRECT_URI, ISSUER_PARAMETER: shown to the person, sent to nobody */
export function checkAuthorization(parameters: Parameters, issuer: Issuer): CheckedAuthorization {
  for (const check of BEFORE_REDIRECT) check(parameters, issuer)
  const redirectUri = parameters.require('redirect_uri')
  const state = parameters.get('state')
  try {
    for (const check of AFTER_REDIRECT) check(parameters, issuer)
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error
    return { kind: 'refused', location: refusal({ redirectUri, state }, error, issuer) }
  }
  const challenge = readChallenge(parameters)
  if (challenge === undefined) throw new TypeError('checkChallenge let a request without a challenge pass')
  return { kind: 'accepted', request: { redirectUri, state, nonce: parameters.get('nonce'), challenge } }
}

/** The redirect that carries a code; `iss` tells the client whose answer it is (RFC 9207). */
export function codeRedirect(request: AuthorizationRequest, code: string, issuer: Issuer): string {
  return withQuery(request.redirectUri, { code, state: request.state, iss: issuer.url })
}

/** The redirect that says no. */
export function refusal(
  request: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  error: CodedError,
  issuer: Issuer,
): string {
  return withQuery(request.redirectUri, {
    error: oauthName(error.code),
    error_description: error.message,
    state: request.state,
    iss: issuer.url,
  })
}

/** The person pressed cancel. */
export function denial(request: AuthorizationRequest, issuer: Issuer): string {
  return withQuery(request.redirectUri, {
    error: 'access_denied',
    error_description: 'the sign-in was cancelled',
    state: request.state,
    iss: issuer.url,
  })
}

function checkClient(parameters: Parameters, issuer: Issuer): void {
  const client = parameters.require('client_id')
  if (client !== issuer.clientId) {
    throw new IssuerError('ISSUER_CLIENT_UNKNOWN', 'no such client', {
      expected: issuer.clientId,
      found: client.slice(0, 80),
    })
  }
}

/**
 * Loopback addresses with any port and path (RFC 8252 §7.3), and what was configured. `localhost` is allowed although
 * RFC 8252 §8.3 prefers the numbers: it is what every Sigstore client sends.
 */
function checkRedirectUri(parameters: Parameters, issuer: Issuer): void {
  const text = parameters.require('redirect_uri')
  if (issuer.redirectUris.includes(text) || isLoopback(text)) return
  throw new IssuerError('ISSUER_REDIRECT_URI', 'the redirect address is not allowed', {
    expected: 'http://localhost, http://127.0.0.1 or http://[::1], with any port and path',
    found: text.slice(0, 120),
  })
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

function isLoopback(text: string): boolean {
  // No white space, backslashes or credentials: what the browser makes of it must be what is checked here.
  if (!/^http:\/\/[\w.:[\]-]+(?:\/[\w./%~-]*)?(?:\?[\w=&%.~-]*)?$/.test(text)) return false
  try {
    return LOOPBACK.has(new URL(text).hostname)
  } catch {
    return false
  }
}

function checkResponseType(parameters: Parameters): void {
  const type = parameters.require('response_type')
  if (type !== 'code')
    throw new IssuerError('ISSUER_RESPONSE_TYPE', 'only the code flow is served', {
      expected: 'code',
      found: type.slice(0, 40),
    })
}

function checkResponseMode(parameters: Parameters): void {
  const mode = parameters.get('response_mode') ?? 'query'
  if (mode !== 'query')
    throw new IssuerError('ISSUER_PARAMETER', 'only the query response mode is served', {
      expected: 'query',
      found: mode.slice(0, 40),
    })
}

function checkScope(parameters: Parameters): void {
  const scopes = parameters.require('scope').split(' ')
  if (!scopes.includes('openid')) throw new IssuerError('ISSUER_SCOPE', 'the scope must have openid in it')
}

function checkChallenge(parameters: Parameters): void {
  if (readChallenge(parameters) === undefined)
    throw new IssuerError('ISSUER_CHALLENGE', 'a public client must send a code challenge')
}

/** `prompt=none` asks for an answer without a page, which needs a session; there are none here. */
function checkPrompt(parameters: Parameters): void {
  if (parameters.get('prompt')?.split(' ').includes('none') === true) {
    throw new IssuerError('ISSUER_PARAMETER', 'a sign-in always needs a person here', { found: 'prompt=none' })
  }
}

function withQuery(address: string, query: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(address)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}
