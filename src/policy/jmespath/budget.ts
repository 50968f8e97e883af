/** How much work and memory one evaluation may take: what is evaluated comes from a stranger. @module */
import type { JsonValue } from '#encoding/json'
import { JmesPathError } from './jmespath-error.js'

/** Nodes visited and values copied; an honest policy stays in the hundreds. */
const MAX_STEPS = 200_000

/** Most characters of a text that an expression makes. */
export const MAX_TEXT = 1_000_000

/** Deepest value that an expression may make. */
const MAX_DEPTH = 250

/** Counts the steps of one evaluation. */
export class Budget {
  #steps = 0

  /** @throws {@link JmesPathError} JMESPATH_LIMIT */
  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > MAX_STEPS) throw tooMuch('an expression takes too many steps', `at most ${String(MAX_STEPS)}`)
  }

  /**
   * Counts a text that was made.
   * @throws {@link JmesPathError} JMESPATH_LIMIT
   */
  text(text: string): string {
    this.characters(text.length)
    return text
  }

  /**
   * Counts the characters of a text before it is made.
   * @throws {@link JmesPathError} JMESPATH_LIMIT
   */
  characters(length: number): void {
    if (length > MAX_TEXT)
      throw tooMuch('an expression makes too long a text', `at most ${String(MAX_TEXT)} characters`)
    this.spend(Math.ceil(length / 256))
  }

  /**
   * Counts a whole value. `[@, @]` shares its parts, so that a small value in memory can be a huge one when it is written out.
   * @throws {@link JmesPathError} JMESPATH_LIMIT
   */
  measure(value: JsonValue, depth = 0): void {
    if (depth > MAX_DEPTH) throw tooMuch('an expression makes too deep a value', `at most ${String(MAX_DEPTH)} levels`)
    this.spend(1)
    if (typeof value === 'string') this.characters(value.length)
    if (typeof value !== 'object' || value === null) return
    for (const part of Object.values(value) as readonly JsonValue[]) this.measure(part, depth + 1)
  }
}

function tooMuch(message: string, expected: string): JmesPathError {
  return new JmesPathError('JMESPATH_LIMIT', message, { expected })
}
