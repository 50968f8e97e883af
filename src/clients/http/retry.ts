/** Trying again: only what is safe to send twice, with growing, jittered pauses, as the host asks. @module */
import type { Clock } from '#time'
import { discardBody } from './body.js'
import type { Fetch, FetchInit, FetchResponse, Timers } from './fetch.js'
import type { HttpError } from './http-error.js'
import { type HttpErrorCode, isHttpError } from './http-error.js'
import { hostOf } from './service.js'
import { wait } from './timers.js'

/** How patient to be. */
export interface RetryOptions {
  /** Attempts in all, the first one included. */
  readonly attempts: number
  /** First pause in milliseconds; doubles each time. */
  readonly baseMillis: number
  /** Longest pause of our own choosing, in milliseconds. */
  readonly maxMillis: number
  /** Longest Retry-After that is honoured, in milliseconds; a host that asks for more gets its answer returned. */
  readonly maxRetryAfterMillis: number
}

/** What retrying needs from outside. */
export interface RetryPorts {
  readonly timers: Timers
  readonly clock: Clock
  /** A number in [0, 1), for the jitter. */
  readonly random: () => number
  /** Told before each pause; the text holds a host, a reason and a time, nothing secret. */
  readonly onRetry?: (notice: string) => void
}

export const DEFAULT_RETRY: RetryOptions = {
  attempts: 5,
  baseMillis: 250,
  maxMillis: 8_000,
  maxRetryAfterMillis: 60_000,
}

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** For what only reads: registries say 500 while somebody else writes what is being read. */
const RETRYABLE_READ_STATUS: ReadonlySet<number> = new Set([...RETRYABLE_STATUS, 408, 500])
const RETRYABLE_CODE: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>(['HTTP_RESET'])

/**
 * Retries 429, 502, 503, 504 and cut connections of idempotent or `repeatable` requests, and 408 and 500 of reads.
 * The last answer is returned, whatever it is; the last error is thrown.
 */
export function withRetries(fetch: Fetch, options: RetryOptions, ports: RetryPorts): Fetch {
  const reads = { statuses: RETRYABLE_READ_STATUS, ...options, ...ports }
  const writes = { statuses: RETRYABLE_STATUS, ...options, ...ports }
  return async (url, init = {}) => {
    const rules = READS.has((init.method ?? 'GET').toUpperCase()) ? reads : writes
    const attempts = canRepeat(init) ? options.attempts : 1
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptOnce(fetch, url, init)
      const pause = attempt < attempts ? pauseAfter(outcome, attempt, rules) : undefined
      if (pause === undefined) return settle(outcome)
      if (outcome.response !== undefined) await discardBody(outcome.response)
      ports.onRetry?.(notice(url, outcome, pause))
      await wait(ports.timers, pause, init.signal)
    }
  }
}

/** The pause that a Retry-After asks for, in milliseconds (RFC 9110 §10.2.3: seconds or a date). */
export function retryAfterMillis(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = /GMT$/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

type Outcome =
  | { readonly response: FetchResponse; readonly error?: undefined }
  | { readonly response?: undefined; readonly error: HttpError }

async function attemptOnce(fetch: Fetch, url: string, init: FetchInit): Promise<Outcome> {
  try {
    return { response: await fetch(url, init) }
  } catch (error) {
    if (isHttpError(error)) return { error }
    throw error
  }
}

function settle(outcome: Outcome): FetchResponse {
  if (outcome.response === undefined) throw outcome.error
  return outcome.response
}

function canRepeat({ method = 'GET', body, repeatable }: FetchInit): boolean {
  const replayable = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  return replayable && (repeatable ?? IDEMPOTENT.has(method.toUpperCase()))
}

function pauseAfter(
  { response, error }: Outcome,
  attempt: number,
  {
    clock,
    random,
    baseMillis,
    maxMillis,
    maxRetryAfterMillis,
    statuses,
  }: RetryOptions & RetryPorts & { readonly statuses: ReadonlySet<number> },
): number | undefined {
  if (error !== undefined && !RETRYABLE_CODE.has(error.code)) return undefined
  if (response !== undefined && !statuses.has(response.status)) return undefined
  const asked = response === undefined ? undefined : retryAfterMillis(response.headers.get('retry-after'), clock())
  if (asked !== undefined) return asked > maxRetryAfterMillis ? undefined : asked + random() * 100
  const ceiling = Math.min(maxMillis, baseMillis * 2 ** (attempt - 1))
  // Half fixed, half random: clients that failed together do not come back together.
  return ceiling / 2 + (random() * ceiling) / 2
}

function notice(url: string, { response, error }: Outcome, pause: number): string {
  const reason = response === undefined ? error.code : `status ${String(response.status)}`
  return `${hostOf(url)}: ${reason}, trying again in ${(pause / 1000).toFixed(1)} s`
}
