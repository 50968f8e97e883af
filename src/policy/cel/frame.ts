/** The memory of one evaluation. @module */
import type { World } from './environment.js'
import type { Outcome } from './values.js'

export interface Frame extends World {
  /** Variables that expressions introduce, by the places that the checker gave them. */
  readonly locals: Outcome[]
}

/** A part of a planned expression. */
export type Step = (frame: Frame) => Outcome
