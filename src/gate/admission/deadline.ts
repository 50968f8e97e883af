/** How long a verdict may take: what the API server says that it waits, less what the answer itself needs. @module */
import type { Timers } from '#clients/http/fetch'
import type { Deadline } from '#policy/internal/deadline'
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

/** Whoever asked. */
export interface Caller {
  /** Fires when the answer is not waited for any longer. */
  readonly signal: AbortSignal
}

/** Runs work until its time is over, or nobody waits for it any longer. */
export async function withDeadline<T>(
  { millis, timers, caller }: { readonly millis: number; readonly timers: Timers; readonly caller: Caller },
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = new CallDeadline(caller)
  const cancel = timers.after(millis, deadline.end)
  try {
    return await work(deadline)
  } finally {
    cancel()
    deadline.release()
  }
}

/** What is remembered is decided on without a signal, neither of its own nor of the caller. */
class CallDeadline implements Deadline {
  readonly #caller: Caller
  #controller: AbortController | undefined
  #over = false

  constructor(caller: Caller) {
    this.#caller = caller
  }

  get over(): boolean {
    return this.#over
  }

  get signal(): AbortSignal {
    return (this.#controller ??= this.#listen()).signal
  }

  readonly end = (): void => {
    this.#over = true
    this.#controller?.abort()
  }

  release(): void {
    if (this.#controller !== undefined) this.#caller.signal.removeEventListener('abort', this.end)
  }

  #listen(): AbortController {
    const { signal } = this.#caller
    const controller = new AbortController()
    signal.addEventListener('abort', this.end, { once: true })
    if (signal.aborted) this.#over = true
    if (this.#over) controller.abort()
    return controller
  }
}
