/** Exceptions from policies, of the namespaces that they are taken from. @module */
import { isCodedError } from '#errors'
import type { JsonObject } from '#encoding/json'
import { compileException } from '#policy/front-ends'
import type { CompiledException } from '#policy/internal/exception'
import { fullKeyOf, nameOf } from './documents.js'
import type { DocumentName } from './documents.js'

/** Namespaces whose exceptions count. Whoever may write one there excuses whatever they like. */
export type ExceptionNamespaces = 'all' | ReadonlySet<string>

/** An exception that does not count, and why. */
export interface ExceptionProblem {
  readonly exception: DocumentName
  readonly problem: string
}

/** One that cannot be read excuses nothing: it has no last good form, for what it excused may be what was taken out of it. */
export class ExceptionShelf {
  readonly #from: ExceptionNamespaces
  readonly #compiled = new Map<string, CompiledException>()
  readonly #problems = new Map<string, ExceptionProblem>()

  constructor(from: ExceptionNamespaces) {
    this.#from = from
  }

  async put(document: JsonObject): Promise<void> {
    const exception = nameOf(document)
    const key = fullKeyOf(exception)
    this.remove(exception)
    if (this.#from !== 'all' && !this.#from.has(exception.namespace)) {
      this.#problems.set(key, { exception, problem: 'exceptions of this namespace are not taken' })
      return
    }
    try {
      this.#compiled.set(key, await compileException(document))
    } catch (error) {
      const problem = isCodedError(error) ? error.message : 'it cannot be read'
      this.#problems.set(key, { exception, problem })
    }
  }

  remove(exception: DocumentName): void {
    const key = fullKeyOf(exception)
    this.#compiled.delete(key)
    this.#problems.delete(key)
  }

  get exceptions(): readonly CompiledException[] {
    return [...this.#compiled.values()]
  }

  get problems(): readonly ExceptionProblem[] {
    return [...this.#problems.values()]
  }
}
