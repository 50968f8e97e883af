/** An OIDC issuer for tests: signs any claims, and answers discovery over a fetch. @module */
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import type { Fetch } from '#clients/http/fetch'
import { TEST_TIME } from './certificate.js'

export interface TestOidcIssuer {
  readonly url: string
  /** A token with sensible claims, changed as asked; `undefined` leaves a claim out. */
  token(claims?: Readonly<Record<string, unknown>>, options?: TokenOptions): Promise<string>
  /** Answers discovery and the key set, and counts. */
  readonly fetch: Fetch
  readonly requests: string[]
  /** Adds a new key, with which tokens are signed from now on. */
  rotate(): Promise<void>
}

export interface TokenOptions {
  readonly header?: Readonly<Record<string, unknown>>
  /** Signs with another issuer's key. */
  readonly key?: CryptoKey
}

export interface TestOidcOptions {
  readonly url?: string
  readonly algorithm?: string
  /** Changes the discovery document. */
  readonly discovery?: Readonly<Record<string, unknown>>
  /** Leaves key ids out of tokens and key set. */
  readonly withoutKeyIds?: boolean
  /** Answers instead of the issuer. */
  readonly intercept?: (url: string) => Response | undefined
}

export async function createTestOidcIssuer(options: TestOidcOptions = {}): Promise<TestOidcIssuer> {
  const { url = 'https://issuer.example.com', algorithm = 'ES256' } = options
  const requests: string[] = []
  const keys: { readonly id: string; readonly privateKey: CryptoKey; readonly jwk: JWK }[] = []
  const rotate = async (): Promise<void> => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
    const id = `key-${String(keys.length + 1)}`
    keys.push({ id, privateKey, jwk: { ...(await exportJWK(publicKey)), use: 'sig' } })
  }
  await rotate()
  const answer = (request: string): Response => {
    const intercepted = options.intercept?.(request)
    if (intercepted !== undefined) return intercepted
    if (request === `${url}/.well-known/openid-configuration`) {
      const document = { issuer: url, jwks_uri: `${url}/keys`, id_token_signing_alg_values_supported: [algorithm] }
      return Response.json({ ...document, ...options.discovery })
    }
    if (request !== `${url}/keys`) return new Response('', { status: 404 })
    return Response.json({
      keys: keys.map(({ id, jwk }) => (options.withoutKeyIds === true ? jwk : { ...jwk, kid: id })),
    })
  }
  return {
    url,
    requests,
    rotate,
    fetch: (request) => {
      requests.push(request)
      return Promise.resolve(answer(request))
    },
    async token(claims = {}, { header = {}, key } = {}) {
      const current = keys.at(-1)
      if (current === undefined) throw new Error('the issuer has no key')
      const now = Math.floor(TEST_TIME / 1000)
      const payload = {
        iss: url,
        sub: 'subject-1',
        aud: 'sigstore',
        iat: now,
        exp: now + 600,
        email: 'alice@example.com',
        email_verified: true,
        ...claims,
      }
      const kid = options.withoutKeyIds === true ? {} : { kid: current.id }
      return new SignJWT(payload)
        .setProtectedHeader({ alg: algorithm, ...kid, ...header })
        .sign(key ?? current.privateKey)
    },
  }
}
