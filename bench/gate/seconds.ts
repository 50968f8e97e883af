/** The tail of a load second by second: one pause of the machine is in one of them, and in the tail of the whole. @module */
import { inOrder, quantile } from '../statistics.js'

const SECOND = 1000
const TAIL = 0.99

/** Cuts the times it is told into seconds. */
export class Seconds {
  readonly #tails: number[] = []
  #times: number[] = []
  #until = performance.now() + SECOND

  /** A request that has ended now, after so many milliseconds. */
  add(millis: number): void {
    if (performance.now() >= this.#until) this.#cut()
    this.#times.push(millis)
  }

  /** The p99 of each whole second, in milliseconds. */
  tails(): readonly number[] {
    return this.#tails
  }

  #cut(): void {
    if (this.#times.length > 0) this.#tails.push(quantile(inOrder(this.#times), TAIL))
    this.#times = []
    this.#until = performance.now() + SECOND
  }
}
