/** Signing in with a browser: authorization code with PKCE, back to a listener on loopback (RFC 6749, 7636, 8252). @module */
import { sha256 } from '#crypto/digest'
import type { RandomSource } from '#crypto/random'
import { encodeBase64Url } from '#encoding/base64'
import { equalBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'
import { printable } from '../http/reason.js'
import { askTokenEndpoint, discoverIssuer, type OidcClient, type TokenAnswer } from './issuer.js'
import { OidcError } from './oidc-error.js'
import type { CallbackListener, LoginPorts } from './ports.js'
import { checkClaims, checkToken } from './token.js'

/** Who signs in where. */
export interface BrowserLogin extends OidcClient {
  /** Where the browser comes back to, if the issuer knows only certain addresses; any free port of localhost otherwise. */
  readonly redirectUrl?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export const SCOPE = 'openid email'
const ANY_PORT = 'http://localhost:0/auth/callback'
/** As long as cosign waits for somebody to sign in. */
const PATIENCE = 120_000

/** @throws OidcError OIDC_DISCOVERY, OIDC_LOGIN, OIDC_LOGIN_TIMEOUT, OIDC_MISMATCH, OIDC_TOKEN */
export async function loginWithBrowser(ports: LoginPorts, login: BrowserLogin): Promise<string> {
  const endpoints = await discoverIssuer(ports.fetch, login.issuer)
  const [state, nonce] = [randomText(ports.random), randomText(ports.random)]
  const { verifier, challenge } = createPkce(ports.random)
  const listener = await ports.listen(
    login.redirectUrl === undefined || login.redirectUrl === '' ? ANY_PORT : login.redirectUrl,
  )
  try {
    const url = new URL(endpoints.authorization)
    const query = {
      response_type: 'code',
      client_id: login.clientId,
      redirect_uri: listener.redirectUrl,
      scope: SCOPE,
      state,
      nonce,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    await ports.dialogue.browser(url.href)
    const code = readCode(await patiently(ports, listener, login.signal), state)
    const form = { grant_type: 'authorization_code', code, redirect_uri: listener.redirectUrl, code_verifier: verifier }
    const answer = await askTokenEndpoint(ports.fetch, endpoints.token, { client: login, form, signal: login.signal })
    return checkClaims(tokenFrom(answer), { issuer: login.issuer, audience: login.clientId, nonce })
  } finally {
    listener.close()
  }
}

/** A verifier and its S256 challenge (RFC 7636 §4). */
export function createPkce(random: RandomSource): { readonly verifier: string; readonly challenge: string } {
  const verifier = randomText(random)
  return { verifier, challenge: encodeBase64Url(sha256(encodeUtf8(verifier))) }
}

/** The ID token of an answer. @throws OidcError OIDC_LOGIN with the issuer's reason, OIDC_TOKEN */
export function tokenFrom(answer: TokenAnswer): string {
  if (answer.kind === 'tokens') return checkToken(answer.idToken, 'the identity issuer')
  throw new OidcError('OIDC_LOGIN', 'the identity issuer gives no token', {
    found: [answer.error, answer.description].filter((part) => part !== '').join(': '),
  })
}

function randomText(random: RandomSource): string {
  return encodeBase64Url(random(32))
}

async function patiently(
  { timers }: LoginPorts,
  listener: CallbackListener,
  signal: AbortSignal | undefined,
): Promise<URLSearchParams> {
  let cancel = (): void => undefined
  let onAbort = (): void => undefined
  const impatience = new Promise<never>((_resolve, reject) => {
    cancel = timers.after(PATIENCE, () => {
      reject(tooLate())
    })
    onAbort = () => {
      reject(new OidcError('OIDC_LOGIN', 'the login was called off'))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([listener.query, impatience])
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

function readCode(query: URLSearchParams, state: string): string {
  // A page elsewhere could send the browser here with a code of its own (RFC 6749 §10.12).
  if (!equalBytes(sha256(encodeUtf8(query.get('state') ?? '')), sha256(encodeUtf8(state)))) {
    throw new OidcError('OIDC_MISMATCH', 'the browser came back from another login', {
      expected: 'the state of this login',
    })
  }
  const error = query.get('error')
  if (error !== null) {
    throw new OidcError('OIDC_LOGIN', 'the login was refused', {
      found: printable([error, query.get('error_description') ?? ''].filter((part) => part !== '').join(': ')),
    })
  }
  const code = query.get('code')
  if (code !== null && code !== '') return code
  throw new OidcError('OIDC_LOGIN', 'the browser came back without a code', { expected: 'a code' })
}

function tooLate(): OidcError {
  return new OidcError('OIDC_LOGIN_TIMEOUT', 'nobody signed in at the browser in time', {
    expected: `a login within ${String(PATIENCE / 1000)} s`,
    hint: 'Where there is no browser, use --fulcio-auth-flow=device.',
  })
}
