/** What a policy depends on, kept in its last good form while it cannot be had. @module */

/** Told when an old value stands in, so that a status and a metric can say so. */
export type OnStale = (what: string, error: unknown) => void

/** More than any installation refers to; the oldest is forgotten, and must then be had anew. */
const MAX_KEPT = 10_000

/**
 * Keys, texts and trust roots by name. One that was had once goes on to count when its source fails: the original drops
 * the policy instead, and everything it guarded is let in. One that was never had is a refusal.
 */
export class LastGood<T> {
  readonly #kept = new Map<string, T>()
  readonly #onStale: OnStale

  constructor(onStale: OnStale) {
    this.#onStale = onStale
  }

  /** @throws what `load` throws, if there is nothing to stand in */
  async load(what: string, load: () => Promise<T>): Promise<T> {
    try {
      const value = await load()
      this.#keep(what, value)
      return value
    } catch (error) {
      const kept = this.#kept.get(what)
      if (kept === undefined) throw error
      this.#onStale(what, error)
      return kept
    }
  }

  /** Somebody took it away on purpose: it must not count any longer. */
  forget(what: string): void {
    this.#kept.delete(what)
  }

  #keep(what: string, value: T): void {
    this.#kept.delete(what)
    this.#kept.set(what, value)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }
}
