/** Signing in on another device with a code (RFC 8628). @module */
import { isJsonObject, type JsonObject } from '#encoding/json'
import { readJson } from '../http/body.js'
import { readReason } from '../http/reason.js'
import { wait } from '../http/timers.js'
import { createPkce, SCOPE, tokenFrom } from './browser-flow.js'
import { askTokenEndpoint, discoverIssuer, type OidcClient } from './issuer.js'
import { OidcError } from './oidc-error.js'
import type { LoginPorts } from './ports.js'
import { checkClaims } from './token.js'

/** Who signs in where. */
export interface DeviceLogin extends OidcClient {
  readonly signal?: AbortSignal | undefined
}

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const DEFAULT_INTERVAL = 5
const DEFAULT_LIFETIME = 300
/** RFC 8628 §3.5: by so many seconds polling slows down when asked to. */
const SLOWER_BY = 5

/** @throws OidcError OIDC_FLOW, OIDC_DISCOVERY, OIDC_LOGIN, OIDC_LOGIN_TIMEOUT, OIDC_MISMATCH, OIDC_TOKEN */
export async function loginWithDevice(ports: LoginPorts, login: DeviceLogin): Promise<string> {
  const { fetch, clock, timers } = ports
  const endpoints = await discoverIssuer(fetch, login.issuer)
  if (endpoints.deviceAuthorization === undefined) {
    throw new OidcError('OIDC_FLOW', 'this identity issuer has no device flow', {
      expected: 'device_authorization_endpoint in its discovery document',
      hint: 'Sign in with a browser, or pass a token with --identity-token.',
    })
  }
  const { verifier, challenge } = createPkce(ports.random)
  const grant = await beginGrant(ports, login, { url: endpoints.deviceAuthorization, challenge })
  await ports.dialogue.code(grant)
  const deadline = clock() + grant.seconds * 1000
  const form = { grant_type: GRANT, device_code: grant.deviceCode, code_verifier: verifier, scope: SCOPE }
  for (let interval = grant.interval; ;) {
    await wait(timers, interval * 1000, login.signal)
    if (clock() > deadline) throw tooLate(grant.seconds)
    const answer = await askTokenEndpoint(fetch, endpoints.token, { client: login, form, signal: login.signal })
    const error = answer.kind === 'error' ? answer.error : ''
    if (error === 'expired_token') throw tooLate(grant.seconds)
    if (error === 'slow_down') interval += SLOWER_BY
    else if (error !== 'authorization_pending') {
      return checkClaims(tokenFrom(answer), { issuer: login.issuer, audience: login.clientId })
    }
  }
}

interface Grant {
  /** Secret: whoever has it gets the token. */
  readonly deviceCode: string
  readonly url: string
  readonly completeUrl?: string
  readonly code: string
  readonly seconds: number
  readonly interval: number
}

async function beginGrant(
  { fetch }: LoginPorts,
  login: DeviceLogin,
  { url, challenge }: { readonly url: string; readonly challenge: string },
): Promise<Grant> {
  const form = { client_id: login.clientId, scope: SCOPE, code_challenge: challenge, code_challenge_method: 'S256' }
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(form).toString(),
    repeatable: true,
  })
  if (response.status !== 200) {
    throw new OidcError('OIDC_LOGIN', 'the identity issuer does not start a device login', {
      found: await readReason(response),
    })
  }
  const body = await readJson(response, { limit: 256 * 1024, what: 'the device login' })
  return readGrant(isJsonObject(body) ? body : {})
}

function readGrant(fields: JsonObject): Grant {
  const text = (name: string): string => {
    const value = fields[name]
    return typeof value === 'string' ? value : ''
  }
  const seconds = (name: string, otherwise: number): number => {
    const value = fields[name]
    return typeof value === 'number' && value > 0 && value <= 86_400 ? value : otherwise
  }
  const [deviceCode, code, url] = [text('device_code'), text('user_code'), text('verification_uri')]
  const completeUrl = text('verification_uri_complete')
  // What is shown goes to a terminal.
  const plain = [code, url, completeUrl].every((shown) => /^[\x20-\x7e]*$/.test(shown))
  if (deviceCode === '' || code === '' || url === '' || !plain) {
    throw new OidcError('OIDC_LOGIN', 'the identity issuer starts a device login that is not understood', {
      expected: 'device_code, user_code and verification_uri',
    })
  }
  return {
    deviceCode,
    code,
    url,
    ...(completeUrl !== '' && { completeUrl }),
    seconds: seconds('expires_in', DEFAULT_LIFETIME),
    interval: seconds('interval', DEFAULT_INTERVAL),
  }
}

function tooLate(seconds: number): OidcError {
  return new OidcError('OIDC_LOGIN_TIMEOUT', 'nobody entered the code in time', {
    expected: `a login within ${String(seconds)} s`,
    hint: 'Run the command again for a new code.',
  })
}
