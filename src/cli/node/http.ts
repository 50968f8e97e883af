/** Opens the HTTP client on this machine's network, proxy settings and trust. @module */
import { createHttpClient } from '#clients/http/client'
import type { Fetch } from '#clients/http/fetch'
import { redactUrl, type TraceEvent } from '#clients/http/trace'
import type { ConnectOptions, Environment } from '../kit/host.js'
import { VERSION } from '../version.js'

/** A fetch with retries, redirects, proxies and, when verbose, a line a request. */
export function connectTo(
  environment: Environment,
  note: (line: string) => void,
  { tls, verbose, pace }: ConnectOptions,
): Fetch {
  const client = createHttpClient({
    env: environment,
    clock: () => Date.now(),
    random: () => Math.random(),
    userAgent: `countersign/${VERSION} (${process.platform}; ${process.arch})`,
    onRetry: note,
    ...pace,
    ...(tls === undefined ? {} : { tls }),
    ...(verbose === true ? { trace: (event: TraceEvent) => note(traceLine(event)) } : {}),
  })
  return client.fetch
}

/** The same fetch, which notes in `waiting` how to describe what has not been answered yet. */
export function observed(fetch: Fetch, waiting: Set<() => string>): Fetch {
  return async (url, init = {}) => {
    const describe = (): string => `${(init.method ?? 'GET').toUpperCase()} ${redactUrl(url)}`
    waiting.add(describe)
    try {
      return await fetch(url, init)
    } finally {
      waiting.delete(describe)
    }
  }
}

function traceLine(event: TraceEvent): string {
  if (event.kind === 'request') return `--> ${event.method} ${event.url}${headerLines(event.headers)}`
  if (event.kind === 'failure') return `<-- ${event.method} ${event.url} failed: ${event.code}`
  return `<-- ${String(event.status)} ${event.method} ${event.url} (${String(event.millis)} ms)${headerLines(event.headers)}`
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `\n    ${name}: ${value}`)
    .join('')
}
