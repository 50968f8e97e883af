/** The fetch that a process makes once and hands to its clients. @module */
import type { Clock } from '#time'
import { createConnections } from './connections.js'
import type { Fetch, Timers } from './fetch.js'
import { createNodeFetch } from './node-fetch.js'
import type { Environment } from './proxy.js'
import { withRedirects } from './redirect.js'
import { DEFAULT_RETRY, withRetries, type RetryOptions } from './retry.js'
import { systemAuthorities, withSecondOpinion } from './system-authorities.js'
import { DEFAULT_TIMEOUTS, withTimeouts, type TimeoutOptions } from './timeout.js'
import { systemTimers } from './timers.js'
import { loadTlsSettings, type TlsChoices, type TlsFiles, type TlsSettings } from './tls-options.js'
import { withTrace, type Trace } from './trace.js'

/** What a process brings to its outbound connections. */
export interface HttpOptions {
  /** For proxies and certificate authorities. */
  readonly env: Environment
  readonly clock: Clock
  /** Such as `countersign/1.2.3 (linux; x64)`. */
  readonly userAgent: string
  readonly tls?: TlsChoices
  /** A number in [0, 1), for the jitter between attempts. */
  readonly random: () => number
  readonly timers?: Timers
  readonly files?: TlsFiles
  readonly retry?: Partial<RetryOptions>
  readonly timeouts?: Partial<TimeoutOptions>
  /** Most connections to one host at a time; further requests wait. Default 16. */
  readonly maxConnections?: number
  readonly trace?: Trace
  readonly onRetry?: (notice: string) => void
  /** The one-hop fetch underneath; by default node's own. */
  readonly transport?: Fetch
}

/** A fetch and its connections. */
export interface HttpClient {
  readonly fetch: Fetch
  /** Closes idle connections; the process ends without it too. */
  close(): void
}

/**
 * Makes a process's fetch: retries around redirects around (trace, time limits, one hop).
 * Make one and share it: connections are reused only within it.
 */
export function createHttpClient(options: HttpOptions): HttpClient {
  const { clock, env, timers = systemTimers, files = nodeFiles, random } = options
  let settings: Promise<TlsSettings> | undefined
  const load = (): Promise<TlsSettings> => (settings ??= loadTlsSettings(options.tls ?? {}, env, files))
  const connections = createConnections(env, load, options.maxConnections)
  const own = createNodeFetch(connections)
  const second = async (): Promise<Fetch | undefined> => {
    const loaded = await loadTlsSettings(options.tls ?? {}, env, files)
    // Authorities that were chosen are the only ones.
    const system = loaded.ca === undefined ? await systemAuthorities(files) : undefined
    if (system === undefined) return undefined
    return createNodeFetch(createConnections(env, () => Promise.resolve({ ...loaded, ca: [system] })))
  }
  const hop = withTimeouts(
    options.transport ?? withSecondOpinion(own, second),
    { ...DEFAULT_TIMEOUTS, ...options.timeouts },
    timers,
  )
  const traced = options.trace === undefined ? hop : withTrace(hop, options.trace, clock)
  const retried = withRetries(
    withRedirects(traced),
    { ...DEFAULT_RETRY, ...options.retry },
    {
      timers,
      clock,
      random,
      ...(options.onRetry !== undefined && { onRetry: options.onRetry }),
    },
  )
  return {
    fetch: (url, { headers, ...init } = {}) =>
      retried(url, { headers: { 'user-agent': options.userAgent, ...headers }, ...init }),
    close: () => {
      connections.close()
    },
  }
}

/** Files of the machine, read when a TLS option names one. */
const nodeFiles: TlsFiles = {
  readFile: async (path) => await (await import('node:fs/promises')).readFile(path),
  readDirectory: async (path) => await (await import('node:fs/promises')).readdir(path),
}
