/** How much work one judgement by a CUE policy may take: the policy is written by some, and what it looks at by others. @module */
import { isCodedError } from '#errors'
import { compilePattern, type Pattern } from '#verify/pattern/pattern'
import { CueError } from './cue-error.js'

/** Conjuncts, and shares of texts, patterns and lists. */
const MAX_STEPS = 500_000

/** Characters that are gone through in a step. */
const CHARACTERS_A_STEP = 256

/** Steps of a pattern that count as one: a small pattern can ask for many, `(?:a?){1000}`, and take all of them for each character. */
const MATCHES_A_STEP = 16

/** What compiling a pattern costs before its size: `(){1000}` is much work that leaves nothing. */
const STEPS_A_PATTERN = 1000

/** Most characters of a text, and bits of a number, that a policy makes. */
const MAX_TEXT = 4_000_000
const MAX_BITS = 100_000

/** Counts the steps of one judgement. */
export class Budget {
  #steps = 0
  readonly #patterns = new Map<string, Pattern>()

  get spent(): number {
    return this.#steps
  }

  /** @throws CueError `CUE_LIMIT` */
  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > MAX_STEPS) throw new CueError('CUE_LIMIT', 'judging by a CUE policy takes too many steps')
  }

  /**
   * Counts going through texts.
   * @throws CueError `CUE_LIMIT`
   */
  read(...texts: readonly unknown[]): void {
    for (const text of texts) if (typeof text === 'string') this.spend(text.length / CHARACTERS_A_STEP)
  }

  /**
   * Counts a text before it is made.
   * @throws CueError `CUE_LIMIT`
   */
  make(characters: number): void {
    if (characters > MAX_TEXT) throw new CueError('CUE_LIMIT', 'a CUE policy makes too long a text')
    this.spend(characters / CHARACTERS_A_STEP)
  }

  /**
   * Counts a number before it is made: powers of powers have millions of digits.
   * @throws CueError `CUE_LIMIT`
   */
  digits(...factors: readonly bigint[]): void {
    const bits = factors.reduce((sum, factor) => sum + factor.toString(16).length * 4, 0)
    if (bits > MAX_BITS) throw new CueError('CUE_LIMIT', 'a CUE policy makes too large a number')
    this.spend(bits / CHARACTERS_A_STEP)
  }

  /**
   * Whether a pattern occurs in a text.
   * @throws CueError `CUE_LIMIT`, `CUE_REJECTED` if it is no pattern
   */
  occurs(source: string, text: string): boolean {
    const pattern = this.pattern(source)
    this.spend((pattern.size * text.length) / MATCHES_A_STEP)
    return pattern.occursIn(text)
  }

  /** A pattern, compiled once. @throws as {@link occurs} */
  pattern(source: string): Pattern {
    const known = this.#patterns.get(source)
    if (known !== undefined) return known
    this.spend(STEPS_A_PATTERN)
    const pattern = compiled(source)
    this.spend(pattern.size / 2)
    this.#patterns.set(source, pattern)
    return pattern
  }
}

function compiled(source: string): Pattern {
  try {
    return compilePattern(source)
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new CueError('CUE_REJECTED', error.message, { cause: error })
  }
}
