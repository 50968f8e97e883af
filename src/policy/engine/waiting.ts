/** A deadline that can say what was being waited for when it came. @module */
import type { Deadline } from '../internal/deadline.js'
import { deadlineOf } from '../internal/deadline.js'
import { PolicyError } from '../internal/policy-error.js'

/** Everything that one review waits for. */
export class Waiting {
  readonly deadline: Deadline
  readonly #pending: Set<Pending>
  #over: Promise<never> | undefined

  constructor(deadline: Deadline, pending: Set<Pending> = new Set<Pending>()) {
    this.deadline = deadline
    this.#pending = pending
  }

  /** For what waits for others itself. */
  get signal(): AbortSignal {
    return this.deadline.signal
  }

  /** The same waiting with another end: what it waits for is told by this one, too. */
  until(signal: AbortSignal): Waiting {
    return new Waiting(deadlineOf(signal), this.#pending)
  }

  /**
   * Waits for work, but no longer than the deadline; work that does not heed the signal is left behind. What is known at once is not
   * waited for.
   * @throws PolicyError `POLICY_DEADLINE` naming what was waited for
   */
  async for<T>(what: string, work: () => T | Promise<T>): Promise<T> {
    if (this.deadline.over) throw this.#expired(what)
    const pending = { what }
    this.#pending.add(pending)
    try {
      const begun = work()
      return begun instanceof Promise ? await Promise.race([begun, (this.#over ??= over(this.signal))]) : begun
    } catch (error) {
      // What the work itself throws when it is aborted says less than what it was.
      throw this.#isOver() ? this.#expired(what) : error
    } finally {
      this.#pending.delete(pending)
    }
  }

  #isOver(): boolean {
    return this.deadline.over
  }

  #expired(what: string): PolicyError {
    const pending = [...this.#pending].map((each) => each.what)
    // What began last is what everything else waits for.
    const deepest = pending.at(-1) ?? what
    return new PolicyError(
      'POLICY_DEADLINE',
      `context was canceled before validation completed: waiting for ${deepest}`,
      {
        found: [...new Set([what, ...pending])].slice(0, 10).join('; '),
        hint: 'give the webhook more time, or look at why this does not answer',
      },
    )
  }
}

interface Pending {
  readonly what: string
}

/** One for all that is waited for until then: a pod of forty images waits for hundreds of things. */
function over(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        reject(new Error('out of time'))
      },
      { once: true },
    )
  })
  // Where the time is over and nobody waits any longer, nobody has to be told.
  promise.catch(() => undefined)
  return promise
}
