/** What `--verbose` shows of the traffic: addresses, statuses, times; never what proves who someone is. @module */
import type { Clock, UnixMillis } from '#time'
import type { Fetch, FetchHeaders, FetchInit } from './fetch.js'
import { isCodedError } from '#errors'

/** One line of the trace. Nothing in it is secret. */
export type TraceEvent =
  | {
      readonly kind: 'request'
      readonly method: string
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'response'
      readonly method: string
      readonly url: string
      readonly status: number
      readonly millis: UnixMillis
      readonly headers: Readonly<Record<string, string>>
    }
  | { readonly kind: 'failure'; readonly method: string; readonly url: string; readonly code: string }

export type Trace = (event: TraceEvent) => void

/** Reports every request and what came of it. */
export function withTrace(fetch: Fetch, trace: Trace, clock: Clock): Fetch {
  return async (address, init = {}) => {
    const url = redactUrl(address)
    const method = (init.method ?? 'GET').toUpperCase()
    const start = clock()
    trace({ kind: 'request', method, url, headers: redactHeaders(init) })
    try {
      const response = await fetch(address, init)
      const { status, headers } = response
      trace({ kind: 'response', method, url, status, millis: clock() - start, headers: shownHeaders(headers) })
      return response
    } catch (error) {
      trace({ kind: 'failure', method, url, code: isCodedError(error) ? error.code : 'unknown' })
      throw error
    }
  }
}

/** An address without user name and password, and without the values of unknown query parameters (signed links). */
export function redactUrl(address: string): string {
  if (!URL.canParse(address)) return '(not an address)'
  const url = new URL(address)
  url.username = ''
  url.password = ''
  url.hash = ''
  const query = [...url.searchParams].map(([name, value]) => {
    const shown = PLAIN_PARAMETERS.has(name)
      ? encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/')
      : '***'
    return `${encodeURIComponent(name)}=${shown}`
  })
  url.search = ''
  return query.length === 0 ? url.href : `${url.href}?${query.join('&')}`
}

// Lists of what may be shown rather than of what may not: what nobody thought of stays hidden.
const PLAIN_PARAMETERS: ReadonlySet<string> = new Set([
  'artifactType',
  'audience',
  'digest',
  'firstSize',
  'from',
  'lastSize',
  'last',
  'logIndex',
  'mount',
  'n',
  'scope',
  'service',
  'treeID',
])
const PLAIN_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'accept',
  'content-length',
  'content-type',
  'if-match',
  'if-none-match',
  'range',
  'user-agent',
])
const PLAIN_RESPONSE_HEADERS: readonly string[] = [
  'content-length',
  'content-type',
  'docker-content-digest',
  'etag',
  'link',
  'oci-filters-applied',
  'oci-subject',
  'retry-after',
  'www-authenticate',
  'x-log-index',
]

function redactHeaders({ headers = {} }: FetchInit): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      PLAIN_REQUEST_HEADERS.has(name.toLowerCase()) ? value : '***',
    ]),
  )
}

function shownHeaders(headers: FetchHeaders): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const name of PLAIN_RESPONSE_HEADERS) {
    const value = headers.get(name)
    if (value !== null) shown[name] = value
  }
  return shown
}
