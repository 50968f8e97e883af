/** The memory of one evaluation. @module */
import type { CelError } from './cel-error.js'
import type { World } from './environment.js'
import type { Outcome } from './values.js'

export interface Frame extends World {
  /** Variables that expressions introduce, by the places that the checker gave them. */
  /** A value that could not be computed is an error where it is used. */
  readonly locals: (Outcome | CelError)[]
}

/** A part of a planned expression. */
export type Step = (frame: Frame) => Outcome
