/**
 * Work that cannot be interrupted, a piece at a time: between the pieces of one review, whatever else waits has its turn, such as
 * other reviews, and the end of this one.
 *
 * @module
 */
import type { Clock } from '#time'
import type { Deadline } from './deadline.js'
import { PolicyError } from './policy-error.js'

/** Does a piece of work when its turn comes. */
export type InTurn = <T>(work: () => T) => Promise<T>

/** So long a review goes on, in milliseconds, before others have a turn: what costs less than this is not held up. */
const SHARE = 10

/** The turns of one review. */
export class Turns {
  readonly #clock: Clock
  readonly #deadline: Deadline
  #last: Promise<unknown> = Promise.resolve()
  #since: number

  constructor(clock: Clock, deadline: Deadline) {
    this.#clock = clock
    this.#deadline = deadline
    this.#since = clock()
  }

  /**
   * One piece after the other, in the order in which they were asked for.
   * @throws PolicyError `POLICY_DEADLINE` where there is no time left to begin; what the work throws
   */
  readonly take: InTurn = async (work) => {
    const before = this.#last
    const taken = (async () => {
      await before
      await this.#letOthers()
      if (this.#deadline.over)
        throw new PolicyError(
          'POLICY_DEADLINE',
          'context was canceled before the expressions of the policy were evaluated',
        )
      return work()
    })()
    this.#last = taken.then(ignore, ignore)
    return await taken
  }

  async #letOthers(): Promise<void> {
    if (this.#clock() - this.#since < SHARE) return
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.#since = this.#clock()
  }
}

function ignore(): void {
  // Whoever asked for the piece is told what became of it.
}
