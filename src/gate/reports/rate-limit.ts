/** So many at once, and so many a second from then on. @module */
import type { Clock, UnixMillis } from '#time'

export interface RateLimitOptions {
  readonly perSecond: number
  readonly burst: number
  readonly clock: Clock
}

/** A bucket of tokens. */
export class RateLimit {
  readonly #options: RateLimitOptions
  #tokens: number
  #filled: UnixMillis

  constructor(options: RateLimitOptions) {
    this.#options = options
    this.#tokens = options.burst
    this.#filled = options.clock()
  }

  /** Whether one more may be done now; if so, it counts. */
  take(): boolean {
    const { perSecond, burst, clock } = this.#options
    const now = clock()
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#filled) / 1000) * perSecond)
    this.#filled = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
