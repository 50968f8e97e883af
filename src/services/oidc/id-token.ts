/** ID tokens: the one statement this issuer makes, signed with RS256 because cosign reads no other inline. @module */
import { sha256 } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import { encodeBase64Url } from '#encoding/base64'
import { readDer, readIntegerBytes, TAG } from '#encoding/der'
import { encodeUtf8 } from '#encoding/utf8'
import type { UnixMillis } from '#time'
import type { User } from './users.js'

/** A public RSA key as JWKS shows it (RFC 7517, RFC 7518 §6.3.1). */
export interface RsaJwk {
  readonly kty: 'RSA'
  readonly alg: 'RS256'
  readonly use: 'sig'
  readonly kid: string
  readonly n: string
  readonly e: string
}

export interface IdTokenClaims {
  readonly issuer: string
  readonly audience: string
  readonly user: User
  readonly nonce: string | undefined
  readonly issuedAt: UnixMillis
  readonly lifetimeMillis: number
}

/** The signing key as a JWK; its id is its thumbprint (RFC 7638), so that it is stable and says nothing. */
export function rsaJwk(signer: Signer): RsaJwk {
  const key = readDer(signer.publicKey.raw, TAG.SEQUENCE).contents()
  const [n, e] = [key.next(TAG.INTEGER), key.next(TAG.INTEGER)].map((one) => encodeBase64Url(readIntegerBytes(one)))
  if (n === undefined || e === undefined) throw new TypeError('not an RSA key')
  const kid = encodeBase64Url(sha256(encodeUtf8(JSON.stringify({ e, kty: 'RSA', n }))))
  return { kty: 'RSA', alg: 'RS256', use: 'sig', kid, n, e }
}

/** Signs an ID token (OpenID Connect Core §2). */
export async function signIdToken(signer: Signer, claims: IdTokenClaims): Promise<string> {
  const header = { alg: 'RS256', typ: 'JWT', kid: rsaJwk(signer).kid }
  const issued = Math.floor(claims.issuedAt / 1000)
  const payload = {
    iss: claims.issuer,
    sub: claims.user.subject,
    aud: claims.audience,
    exp: issued + Math.floor(claims.lifetimeMillis / 1000),
    iat: issued,
    ...(claims.nonce !== undefined && { nonce: claims.nonce }),
    email: claims.user.email,
    email_verified: true,
  }
  const input = [header, payload].map((part) => encodeBase64Url(encodeUtf8(JSON.stringify(part)))).join('.')
  return `${input}.${encodeBase64Url(await signer.sign(encodeUtf8(input)))}`
}
