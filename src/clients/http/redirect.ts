/** Following redirects without carrying credentials to where they do not belong. @module */
import { discardBody } from './body.js'
import type { Fetch, FetchInit } from './fetch.js'
import { HttpError } from './http-error.js'

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const MAX_REDIRECTS = 10

/** Headers that prove who the sender is; another origin has no business with them. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-registry-auth'])

/**
 * Follows redirects as a fetch that returns every response (one hop) does not.
 * Credentials are dropped once the origin changes, https is never left for http.
 * @throws {@link HttpError} HTTP_REDIRECT.
 */
export function withRedirects(fetch: Fetch): Fetch {
  return async (url, init = {}) => {
    const { redirect = 'follow', ...first } = init
    let hop: Hop = { url, init: first }
    for (let count = 0; ; count++) {
      const response = await fetch(hop.url, hop.init)
      const location = response.headers.get('location')
      if (redirect === 'manual' || !REDIRECTS.has(response.status) || location === null) return response
      await discardBody(response)
      if (redirect === 'error' || count === MAX_REDIRECTS) throw refused(hop.url, redirect)
      hop = nextHop(hop, response.status, location)
    }
  }
}

interface Hop {
  readonly url: string
  readonly init: FetchInit
}

function nextHop({ url, init }: Hop, status: number, location: string): Hop {
  const from = new URL(url)
  const to = parseLocation(from, location)
  if (to.protocol !== 'https:' && (from.protocol === 'https:' || to.protocol !== 'http:')) {
    throw new HttpError('HTTP_REDIRECT', `${from.host} redirects to an unprotected address`, {
      expected: 'an https address',
      found: `${to.protocol}//${to.host}`,
    })
  }
  const changed = asGet(init, status)
  if (changed.body !== undefined && isStream(changed.body)) {
    throw new HttpError('HTTP_REDIRECT', `${from.host} redirects a request whose body was already sent`, {
      hint: `Address ${to.host} directly.`,
    })
  }
  return { url: to.href, init: from.origin === to.origin ? changed : withoutCredentials(changed) }
}

function parseLocation(from: URL, location: string): URL {
  try {
    const to = new URL(location, from)
    to.username = ''
    to.password = ''
    if (to.hash === '') to.hash = from.hash
    return to
  } catch (cause) {
    throw new HttpError('HTTP_REDIRECT', `${from.host} redirects to something that is not an address`, { cause })
  }
}

/** A 303, or a 301 or 302 in answer to a POST, asks for a GET without the body (WHATWG Fetch, HTTP-redirect fetch step 12). */
function asGet(init: FetchInit, status: number): FetchInit {
  const method = (init.method ?? 'GET').toUpperCase()
  const turns =
    status === 303 ? method !== 'HEAD' && method !== 'GET' : (status === 301 || status === 302) && method === 'POST'
  if (!turns) return init
  const { body: _body, ...rest } = init
  return { ...rest, method: 'GET', headers: filterHeaders(init, (name) => !name.startsWith('content-')) }
}

function withoutCredentials(init: FetchInit): FetchInit {
  return { ...init, headers: filterHeaders(init, (name) => !CREDENTIALS.has(name)) }
}

function filterHeaders({ headers = {} }: FetchInit, keep: (lowerName: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => keep(name.toLowerCase())))
}

function isStream(body: NonNullable<FetchInit['body']>): boolean {
  return typeof body !== 'string' && !(body instanceof Uint8Array)
}

function refused(url: string, redirect: 'follow' | 'error'): HttpError {
  const { host } = new URL(url)
  const reason =
    redirect === 'error' ? 'redirects where it must not' : `redirects more than ${String(MAX_REDIRECTS)} times`
  return new HttpError('HTTP_REDIRECT', `${host} ${reason}`, { hint: 'Use the address that it redirects to.' })
}
