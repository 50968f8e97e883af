/** How long a verdict may take: what the API server says that it waits, less what the answer itself needs. @module */
import type { Timers } from '#clients/http/fetch'
import { parseDuration } from '#policy/jmespath/duration'

/** Kubernetes' own default, and the most that it lets a webhook have, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000
const MAX_TIMEOUT = 30_000
/** A fifth, but not more than a second: for the answer's way, and so that it is ours and not the API server's "timed out". */
const MARGIN_PART = 5
const MAX_MARGIN = 1000

/**
 * The milliseconds that a request may be judged for. `text` is the `timeout` parameter that the API server puts into the address
 * of a webhook, a duration of Go.
 */
export function budgetMillis(text: string | null): number {
  const nanoseconds = text === null ? undefined : parseDuration(text)
  const given = nanoseconds === undefined ? DEFAULT_TIMEOUT : Number(nanoseconds / 1_000_000n)
  const timeout = given <= 0 ? DEFAULT_TIMEOUT : Math.min(given, MAX_TIMEOUT)
  return timeout - Math.min(MAX_MARGIN, timeout / MARGIN_PART)
}

/** Runs work with a signal that fires when its time is over, or when nobody waits for it any longer. */
export async function withDeadline<T>(
  { millis, timers, gone }: { readonly millis: number; readonly timers: Timers; readonly gone: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stop = (): void => {
    controller.abort()
  }
  const cancel = timers.after(millis, stop)
  gone.addEventListener('abort', stop, { once: true })
  if (gone.aborted) stop()
  try {
    return await work(controller.signal)
  } finally {
    cancel()
    gone.removeEventListener('abort', stop)
  }
}
