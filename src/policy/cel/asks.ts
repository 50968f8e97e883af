/**
 * What evaluating has to wait for. A function that takes time is answered `PENDING` at first, and evaluating goes on without its
 * result: so everything that can be asked for at once is asked for at once. When the answers are there, the expression is
 * evaluated again, and what was answered is not asked a second time.
 *
 * @module
 */
import { isCodedError } from '#errors'
import type { InTurn } from '../internal/turns.js'
import { CelError } from './cel-error.js'
import { PENDING } from './values.js'
import type { CelValue, Outcome, Pending } from './values.js'

/** Questions that wait for the answers to others, one behind the other; an honest policy has two or three. */
const MAX_ROUNDS = 20

/** Questions of one evaluation. */
const MAX_ASKS = 2_000

type Answer =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'value'; readonly value: CelValue }
  | { readonly kind: 'error'; readonly error: Error }

/** The questions of one evaluation and their answers. */
export class Asks {
  readonly #answers = new Map<string, Answer>()
  readonly #inTurn: InTurn
  #waiting: Promise<void>[] = []

  /** @param inTurn when an attempt is made; without it, at once */
  constructor(inTurn: InTurn = (work) => Promise.resolve().then(work)) {
    this.#inTurn = inTurn
  }

  /**
   * The answer, or PENDING. The key says all that the question depends on.
   * @throws CelError if the answer was an error
   */
  ask(key: string, question: () => Promise<CelValue>): Outcome {
    const known = this.#answers.get(key)
    if (known === undefined) {
      if (this.#answers.size >= MAX_ASKS) {
        throw new CelError('CEL_LIMIT', 'an expression asks for too much', {
          expected: `at most ${String(MAX_ASKS)} calls`,
        })
      }
      this.#answers.set(key, { kind: 'waiting' })
      this.#waiting.push(this.#answer(key, question))
      return PENDING
    }
    if (known.kind === 'error') throw known.error
    return known.kind === 'value' ? known.value : PENDING
  }

  async #answer(key: string, question: () => Promise<CelValue>): Promise<void> {
    try {
      this.#answers.set(key, { kind: 'value', value: await question() })
    } catch (error) {
      // Kept, not thrown: nobody may be waiting any more.
      this.#answers.set(key, { kind: 'error', error: asCelError(error) })
    }
  }

  /** Evaluates until nothing is pending. @throws what an attempt throws; CelError `CEL_LIMIT` */
  async settle<T>(attempt: () => T | Pending): Promise<T> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const outcome = await this.#inTurn(attempt)
      if (outcome !== PENDING) return outcome
      const waiting = this.#waiting
      this.#waiting = []
      await Promise.all(waiting)
    }
    throw new CelError('CEL_LIMIT', 'an expression asks for too much, one thing behind the other', {
      expected: `at most ${String(MAX_ROUNDS)} rounds`,
    })
  }
}

/** What a call fails with is an error of the expression: `||` may do without it. A broken program is none, and stays broken. */
function asCelError(error: unknown): Error {
  if (error instanceof CelError) return error
  if (!isCodedError(error)) return error instanceof Error ? error : new TypeError('not an error', { cause: error })
  const { message, expected, found, hint } = error
  return new CelError('CEL_EVALUATION', message, { expected, found, hint, cause: error })
}
