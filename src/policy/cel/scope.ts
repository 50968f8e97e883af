/** The names that an expression introduces itself, innermost first. @module */
import type { CelType } from './types.js'

/** A variable of a loop, and its place in the evaluation's memory. */
export interface Local {
  readonly name: string
  readonly type: CelType
  readonly slot: number
}

export class Scope {
  readonly #parent: Scope | undefined
  readonly #local: Local | undefined

  constructor(parent?: Scope, local?: Local) {
    this.#parent = parent
    this.#local = local
  }

  with(name: string, type: CelType): Scope {
    return new Scope(this, { name, type, slot: (this.#local?.slot ?? -1) + 1 })
  }

  find(name: string): Local | undefined {
    return this.#local?.name === name ? this.#local : this.#parent?.find(name)
  }
}
