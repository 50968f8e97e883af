/** What the checker says of an expression that it refuses. @module */
import { CelError, placeOf } from './cel-error.js'
import { formatType } from './types.js'
import type { CelType } from './types.js'
import type { Unifier } from './unify.js'

export class Complaints {
  readonly unifier: Unifier
  readonly #source: string

  constructor(source: string, unifier: Unifier) {
    this.#source = source
    this.unifier = unifier
  }

  format(type: CelType): string {
    return formatType(this.unifier.final(type))
  }

  error(message: string, at: number, expected?: string): CelError {
    return new CelError('CEL_TYPE', message, { expected, found: placeOf(this.#source, at) })
  }

  mismatch(expected: CelType, found: CelType, at: number): CelError {
    return this.error(`expected type '${this.format(expected)}' but found '${this.format(found)}'`, at)
  }

  undeclared(name: string, at: number): CelError {
    return this.error(`undeclared reference to '${name}'`, at)
  }

  refused(name: string, reason: string, at: number): CelError {
    return new CelError('CEL_UNSUPPORTED', `'${name}' is not supported: ${reason}`, {
      found: placeOf(this.#source, at),
    })
  }
}
