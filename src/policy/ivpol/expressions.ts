/** Compiling the expressions of a policy, each in the environment that it is written for. @module */
import { isCodedError } from '#errors'
import type { CelEnvironment } from '../cel/environment.js'
import type { CelProgram, CompileCel } from '../cel/program.js'
import type { CelType } from '../cel/types.js'
import type { Complaints } from '../internal/fields.js'

/** Compiles, and makes a complaint of what does not compile. */
export class Expressions {
  readonly #compile: CompileCel
  readonly #complaints: Complaints

  constructor(compile: CompileCel, complaints: Complaints) {
    this.#compile = compile
    this.#complaints = complaints
  }

  /** Undefined where there was something to complain about. */
  compile(
    { expression, path }: { readonly expression: string; readonly path: string },
    environment: CelEnvironment,
    types: readonly CelType[],
  ): CelProgram | undefined {
    try {
      return this.#compile(expression, environment, types)
    } catch (error) {
      this.complain(path, error)
      return undefined
    }
  }

  complain(path: string, error: unknown): void {
    if (!isCodedError(error)) throw error
    const { message, found, expected, hint } = error
    const more = [found, expected === undefined ? undefined : `expected ${expected}`, hint].filter(
      (each) => each !== undefined,
    )
    this.#complaints.add(`${path}: Invalid value: ${[message, ...more].join('; ')}`)
  }
}
