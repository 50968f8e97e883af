/** The claims of one's own identity token, read to compare and to print; the authority is who verifies them. @module */
import { decodeBase64Url } from '#encoding/base64'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { SignError } from './sign-error.js'

export interface TokenClaims {
  readonly issuer: string | undefined
  readonly subject: string | undefined
  /** Only where the issuer says that it was verified. */
  readonly email: string | undefined
  readonly expires: UnixMillis | undefined
}

/**
 * Reads a compact JWS without verifying it.
 * @throws {@link SignError} `SIGN_TOKEN_MALFORMED`; the message never holds any of the token.
 */
export function readTokenClaims(token: string): TokenClaims {
  const parts = token.split('.')
  const [, payload = ''] = parts
  let claims: unknown
  try {
    claims = parts.length === 3 ? parseJson(decodeBase64Url(payload)) : undefined
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  if (!isObject(claims)) {
    throw new SignError('SIGN_TOKEN_MALFORMED', 'the identity token is not a JWT', {
      expected: 'three base64url parts with dots between them',
      hint: 'check what --identity-token or SIGSTORE_ID_TOKEN holds',
    })
  }
  const text = (name: string): string | undefined => (typeof claims[name] === 'string' ? claims[name] : undefined)
  const verified = claims['email_verified'] === true || claims['email_verified'] === 'true'
  return {
    issuer: text('iss'),
    subject: text('sub'),
    email: verified ? text('email') : undefined,
    expires: typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : undefined,
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== undefined && isJsonObject(value as Parameters<typeof isJsonObject>[0])
}
