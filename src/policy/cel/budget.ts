/** How much work and memory one evaluation may take: policies are written by some, and what they look at by others. @module */
import { CelError } from './cel-error.js'

/** Steps: nodes, elements, and shares of texts. Kubernetes allows a million of its own kind a call. */
const MAX_STEPS = 1_000_000

/** Most characters of a text, and elements of a list, that an expression makes. */
const MAX_TEXT = 1_000_000
const MAX_ELEMENTS = 100_000

/** Characters that count as one step. */
const CHARACTERS_A_STEP = 16

/** Code points that count as one step where a text is taken apart into them. */
const POINTS_A_STEP = 4

/** Steps of a pattern that count as one. */
const MATCHES_A_STEP = 16

/** Counts the steps of one evaluation, however many attempts it takes. */
export class Budget {
  readonly #most: number
  #steps = 0

  constructor(most: number = MAX_STEPS) {
    this.#most = most
  }

  /** @throws CelError `CEL_LIMIT` */
  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > this.#most) throw tooMuch('an expression takes too many steps', `at most ${String(this.#most)}`)
  }

  /**
   * Counts being given a text; a short one is part of the call.
   * @throws CelError `CEL_LIMIT`
   */
  text(characters: number): void {
    if (characters >= CHARACTERS_A_STEP) this.spend(Math.floor(characters / CHARACTERS_A_STEP))
  }

  /**
   * Counts taking a text apart into its code points.
   * @throws CelError `CEL_LIMIT`
   */
  points(characters: number): void {
    this.spend(1 + Math.floor(characters / POINTS_A_STEP))
  }

  /**
   * Counts reading so many characters.
   * @throws CelError `CEL_LIMIT`
   */
  read(characters: number): void {
    this.spend(1 + Math.floor(characters / CHARACTERS_A_STEP))
  }

  /**
   * Counts looking for a pattern of so many steps in so many characters.
   * @throws CelError `CEL_LIMIT`
   */
  match(characters: number, size: number): void {
    this.spend(1 + Math.ceil((characters * size) / MATCHES_A_STEP))
  }

  /**
   * Counts a text, before it is made.
   * @throws CelError `CEL_LIMIT`
   */
  make(characters: number): void {
    if (characters > MAX_TEXT)
      throw tooMuch('an expression makes too long a text', `at most ${String(MAX_TEXT)} characters`)
    this.read(characters)
  }

  /**
   * Counts one more element of a list that has so many now.
   * @throws CelError `CEL_LIMIT`
   */
  element(count: number): void {
    if (count > MAX_ELEMENTS) throw tooLong()
    this.spend(1)
  }

  /**
   * Counts a list, before it is made.
   * @throws CelError `CEL_LIMIT`
   */
  elements(count: number): void {
    if (count > MAX_ELEMENTS) throw tooLong()
    this.spend(count)
  }
}

function tooMuch(message: string, expected: string): CelError {
  return new CelError('CEL_LIMIT', message, { expected })
}

function tooLong(): CelError {
  return tooMuch('an expression makes too long a list', `at most ${String(MAX_ELEMENTS)} elements`)
}
