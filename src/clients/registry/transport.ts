/** One request to a registry: the right scheme, the right login, its refusals in our words. @module */
import type { Repository } from '#formats/oci/reference'
import type { Clock } from '#time'
import { discardBody } from '../http/body.js'
import type { Fetch, FetchInit, FetchResponse } from '../http/fetch.js'
import { HttpError, isHttpError } from '../http/http-error.js'
import { isLoopbackHost } from '../http/proxy.js'
import { readReason } from '../http/reason.js'
import { RecentMap } from '../recent-map.js'
import { createAuthenticator, type Scope } from './authenticator.js'
import type { Keychain } from './credentials.js'
import { RegistryError, type RegistryErrorCode } from './registry-error.js'

/** What registry requests need. */
export interface RegistryPorts {
  /** With retries and redirects; made with the registry's TLS options. */
  readonly fetch: Fetch
  readonly clock: Clock
  readonly keychain: Keychain
  /** Talk plain HTTP to registries that do not speak TLS (`--allow-http-registry`). Loopback needs no leave. */
  readonly allowHttp?: boolean | undefined
}

/** A request within a repository. */
export interface RegistryRequest extends FetchInit {
  readonly scope: Scope
  /** Below `/v2/<repository>`, or an absolute address that the registry itself gave (uploads, pages). */
  readonly path: string
}

/** Sends requests; 401s are answered, all other statuses returned. */
export type RegistryTransport = (request: RegistryRequest) => Promise<FetchResponse>

type UrlScheme = 'https' | 'http'

const REMEMBERED = 1000

/** A transport that remembers logins and schemes for as long as it lives. */
export function createTransport(ports: RegistryPorts): RegistryTransport {
  const authenticator = createAuthenticator(ports)
  const settled = new RecentMap<string, UrlScheme>(REMEMBERED)
  return async ({ scope, path, ...init }) => {
    const { registry } = scope.repository
    const send = async (base: string): Promise<FetchResponse> => {
      const url = addressOf(path, base, scope.repository)
      const origin = new URL(url).origin
      // An upload may continue on another host, which has no business with the login.
      if (origin !== base) return await ports.fetch(url, init)
      const first = await authenticator.authorize(scope)
      const response = await ports.fetch(url, withAuthorization(init, first))
      const header = response.headers.get('www-authenticate')
      if (response.status !== 401 || header === null) return response
      await discardBody(response)
      const second = await authenticator.answer(scope, { header, origin }, first)
      return await ports.fetch(url, withAuthorization(init, second))
    }
    const known = settled.get(registry)
    if (known !== undefined) return await send(`${known}://${registry}`)
    return await tryInTurn(schemesFor(registry, ports.allowHttp === true), async (scheme) => {
      const response = await send(`${scheme}://${registry}`)
      if (scheme === 'http' && (await isTlsOnly(response))) throw notPlain(registry)
      settled.set(registry, scheme)
      return response
    })
  }
}

/** Loopback is plain first, as everybody who runs a registry there expects; otherwise plain is only ever the fallback. */
function schemesFor(registry: string, allowHttp: boolean): readonly [UrlScheme, ...UrlScheme[]] {
  const hostname = URL.canParse(`http://${registry}`) ? new URL(`http://${registry}`).hostname : registry
  if (isLoopbackHost(hostname)) return ['http', 'https']
  return allowHttp ? ['https', 'http'] : ['https']
}

const OTHER_SCHEME: ReadonlySet<string> = new Set(['HTTP_TLS', 'HTTP_PROTOCOL', 'HTTP_CONNECT', 'HTTP_RESET'])

async function tryInTurn(
  [first, ...rest]: readonly [UrlScheme, ...UrlScheme[]],
  attempt: (scheme: UrlScheme) => Promise<FetchResponse>,
): Promise<FetchResponse> {
  try {
    return await attempt(first)
  } catch (error) {
    const [next, ...others] = rest
    if (next === undefined || !isHttpError(error) || !OTHER_SCHEME.has(error.code)) throw error
    try {
      return await tryInTurn([next, ...others], attempt)
    } catch (second) {
      // If nothing answers at all, the first attempt is the one to tell of.
      throw isHttpError(second) && !speaksTls(second) ? error : second
    }
  }
}

/** Whether a host was found to speak TLS, and it is its certificate that will not do. */
function speaksTls({ code, found }: HttpError): boolean {
  return code === 'HTTP_TLS' && !/^(?:EPROTO|ERR_SSL)/.test(found ?? 'EPROTO')
}

/** Go servers answer a plain request on a TLS port with a 400 and a line of text. */
async function isTlsOnly(response: FetchResponse): Promise<boolean> {
  if (response.status !== 400 || response.headers.get('docker-distribution-api-version') !== null) return false
  if (!(response.headers.get('content-type') ?? 'text/plain').startsWith('text/plain')) return false
  return /HTTPS server/i.test(await readReason(response))
}

function notPlain(registry: string): HttpError {
  return new HttpError('HTTP_PROTOCOL', `${registry} speaks only TLS`)
}

function addressOf(path: string, base: string, { registry, repository }: Repository): string {
  if (!/^https?:\/\//.test(path)) return `${base}/v2/${repository}${path}`
  const url = new URL(path)
  // Registries behind a proxy that does TLS for them name themselves with http; the way there stays the one that worked.
  return url.host === new URL(`http://${registry}`).host ? `${base}${url.pathname}${url.search}` : path
}

function withAuthorization(init: FetchInit, authorization: string | undefined): FetchInit {
  if (authorization === undefined) return init
  const { headers, ...rest } = init
  return { headers: { ...headers, authorization }, ...rest }
}

interface Meaning {
  readonly code: RegistryErrorCode
  readonly says: string
  readonly hint?: string
}

const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [
    401,
    { code: 'REGISTRY_UNAUTHORIZED', says: 'wants another login', hint: 'Sign in with an account that may do this.' },
  ],
  [
    403,
    {
      code: 'REGISTRY_DENIED',
      says: 'does not allow this',
      hint: 'The account lacks the permission; ask who runs the registry.',
    },
  ],
  [404, { code: 'REGISTRY_NOT_FOUND', says: 'does not have it', hint: 'Check the name and the tag or digest.' }],
  [405, { code: 'REGISTRY_UNSUPPORTED', says: 'does not support this', hint: 'Deleting may be switched off there.' }],
  [409, { code: 'REGISTRY_CONFLICT', says: 'has something else there', hint: 'The tag may be immutable.' }],
  [412, { code: 'REGISTRY_CONFLICT', says: 'has something newer there' }],
  [413, { code: 'REGISTRY_REFUSED', says: 'finds it too large' }],
  [
    429,
    {
      code: 'REGISTRY_RATE_LIMITED',
      says: 'allows no more requests now',
      hint: 'Sign in (anonymous limits are lower), or try again later.',
    },
  ],
])

/** Makes an error of an answer that was not expected. `what` names the thing: `the manifest app@sha256:…`. */
export async function registryRefusal(
  response: FetchResponse,
  repository: Repository,
  what: string,
): Promise<RegistryError> {
  const { status } = response
  const fallback: Meaning =
    status >= 500
      ? { code: 'REGISTRY_UNAVAILABLE', says: 'could not do its work', hint: 'Try again later.' }
      : { code: 'REGISTRY_REFUSED', says: 'refuses' }
  const { code, says, hint } = MEANINGS.get(status) ?? fallback
  return new RegistryError(code, `${repository.registry} ${says}: ${what}`, { found: await readReason(response), hint })
}
