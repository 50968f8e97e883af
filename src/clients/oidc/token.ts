/** Identity tokens as opaque secrets, and the few claims a client has to compare. @module */
import { decodeBase64Url } from '#encoding/base64'
import { isJsonObject, parseJson, type JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { OidcError } from './oidc-error.js'

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Longer ones would not fit into a request header either. */
const MAX_LENGTH = 64 * 1024

/**
 * A token, trimmed, if it has the form of one.
 * @throws OidcError OIDC_TOKEN; nothing of what was given is in the text.
 */
export function checkToken(text: string, source: string): string {
  const token = text.trim()
  if (token.length <= MAX_LENGTH && COMPACT.test(token)) return token
  throw new OidcError('OIDC_TOKEN', `${source} gave something that is no identity token`, {
    expected: 'a JWT: three base64url parts with dots between them',
    found: token === '' ? 'nothing' : `${String(token.length)} characters of another form`,
  })
}

/** What a token from the token endpoint must say (OpenID Connect Core §3.1.3.7). */
export interface ExpectedClaims {
  readonly issuer: string
  readonly audience: string
  readonly nonce?: string | undefined
}

/**
 * Checks the claims of a token that came straight from the token endpoint. Its signature is not checked: TLS vouches for
 * the sender (§3.1.3.7 item 6), and the certificate authority verifies it.
 * @throws OidcError OIDC_MISMATCH
 */
export function checkClaims(token: string, expected: ExpectedClaims): string {
  const { iss, aud, nonce } = claimsOf(token)
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (iss !== expected.issuer) throw mismatch('issuer', expected.issuer, iss)
  if (!audiences.includes(expected.audience)) throw mismatch('audience', expected.audience, aud)
  if (expected.nonce !== undefined && nonce !== expected.nonce) {
    throw new OidcError('OIDC_MISMATCH', 'the token was not made for this login', {
      expected: 'the nonce of this login',
    })
  }
  return token
}

function claimsOf(token: string): JsonObject {
  try {
    const claims = parseJson(decodeBase64Url(token.split('.')[1] ?? ''))
    if (isJsonObject(claims)) return claims
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new OidcError('OIDC_TOKEN', 'the identity token has no readable claims', { expected: 'a JWT' })
}

function mismatch(what: string, expected: string, found: unknown): OidcError {
  return new OidcError('OIDC_MISMATCH', `the token is from or for somebody else: its ${what} is not right`, {
    expected,
    found: typeof found === 'string' ? found.slice(0, 200) : 'something else',
  })
}
