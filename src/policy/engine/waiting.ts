/** A deadline that can say what was being waited for when it came. @module */
import { PolicyError } from '../internal/policy-error.js'

/** Everything that one review waits for. */
export class Waiting {
  readonly signal: AbortSignal
  readonly #pending: Map<symbol, string>
  readonly #ends = new Set<() => void>()
  readonly #end = (): void => {
    for (const expire of this.#ends) expire()
  }

  constructor(signal: AbortSignal, pending: Map<symbol, string> = new Map<symbol, string>()) {
    this.signal = signal
    this.#pending = pending
  }

  /** The same waiting with another end: what it waits for is told by this one, too. */
  until(signal: AbortSignal): Waiting {
    return new Waiting(signal, this.#pending)
  }

  /**
   * Waits for work, but no longer than the deadline; work that does not heed the signal is left behind.
   * @throws PolicyError `POLICY_DEADLINE` naming what was waited for
   */
  async for<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.#isOver()) throw this.#expired(what)
    const id = Symbol(what)
    this.#pending.set(id, what)
    const { promise: deadline, stop } = this.#deadline(what)
    try {
      return await Promise.race([work(), deadline])
    } catch (error) {
      // What the work itself throws when it is aborted says less than what it was.
      throw this.#isOver() ? this.#expired(what) : error
    } finally {
      this.#pending.delete(id)
      stop()
    }
  }

  #isOver(): boolean {
    return this.signal.aborted
  }

  #deadline(what: string): { readonly promise: Promise<never>; readonly stop: () => void } {
    let stop = (): void => undefined
    const promise = new Promise<never>((_, reject) => {
      const expire = (): void => {
        reject(this.#expired(what))
      }
      this.#listen(expire)
      stop = () => {
        this.#unlisten(expire)
      }
    })
    return { promise, stop }
  }

  /** One listener for all that is waited for at the same time: a pod of forty images waits for hundreds of things. */
  #listen(expire: () => void): void {
    if (this.#ends.size === 0) this.signal.addEventListener('abort', this.#end)
    this.#ends.add(expire)
  }

  #unlisten(expire: () => void): void {
    this.#ends.delete(expire)
    if (this.#ends.size === 0) this.signal.removeEventListener('abort', this.#end)
  }

  #expired(what: string): PolicyError {
    const pending = [...this.#pending.values()]
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
