/**
 * The variables of one review. What the cluster or a registry must be asked for is asked when an expression comes across it, and
 * not before: a rule that does not get that far must not fail for want of it.
 *
 * @module
 */
import type { JsonObject, JsonValue } from '#encoding/json'

/** A variable whose value must be had from somewhere. */
export interface LazyVariable {
  readonly name: string
  /** Asked once. It may use the variables before it. */
  load(before: Scope): Promise<JsonValue>
}

/** Interrupts an evaluation that needs what is not there yet. */
class NotLoaded extends Error {
  readonly variable: Loading

  constructor(variable: Loading) {
    super(variable.name)
    this.variable = variable
  }
}

class Loading {
  readonly name: string
  readonly #load: () => Promise<JsonValue>
  #pending: Promise<void> | undefined
  #value: JsonValue | undefined

  constructor(name: string, load: () => Promise<JsonValue>) {
    this.name = name
    this.#load = load
  }

  get value(): JsonValue {
    if (this.#value === undefined) throw new NotLoaded(this)
    return this.#value
  }

  async settle(): Promise<void> {
    await (this.#pending ??= this.#load().then((value) => {
      this.#value = value
    }))
  }
}

/** Variables by name. */
export class Scope {
  readonly #data: JsonObject

  private constructor(data: JsonObject) {
    this.#data = data
  }

  /** Of what is at hand; a function is asked when its name is come across. */
  static of(variables: Readonly<Record<string, JsonValue | (() => JsonValue)>>): Scope {
    const data = {}
    for (const [name, value] of Object.entries(variables)) {
      define(data, name, typeof value === 'function' ? remembering(value) : () => value)
    }
    return new Scope(data)
  }

  /** The same and more; a later one of a name stands in the place of an earlier one. */
  and(variables: readonly LazyVariable[]): Scope {
    return variables.reduce<Scope>((before, variable) => {
      const loading = new Loading(variable.name, () => variable.load(before))
      return before.#with([[variable.name, () => loading.value]])
    }, this)
  }

  /** The same with these in the place of others of their names. */
  with(variables: JsonObject): Scope {
    return this.#with(Object.entries(variables).map(([name, value]) => [name, () => value] as const))
  }

  #with(getters: readonly (readonly [name: string, get: () => JsonValue])[]): Scope {
    const data = Object.defineProperties({}, Object.getOwnPropertyDescriptors(this.#data))
    for (const [name, get] of getters) define(data, name, get)
    return new Scope(data)
  }

  /**
   * Evaluates with the variables. What is not loaded interrupts the evaluation, which begins again when it is: it must have no effects.
   * @throws what it throws, and what loading throws
   */
  async evaluate<T>(work: (data: JsonValue) => T): Promise<T> {
    for (;;) {
      try {
        return work(this.#data)
      } catch (error) {
        if (!(error instanceof NotLoaded)) throw error
        await error.variable.settle()
      }
    }
  }
}

function define(data: object, name: string, get: () => JsonValue): void {
  Object.defineProperty(data, name, { get, enumerable: true, configurable: true })
}

function remembering(make: () => JsonValue): () => JsonValue {
  let made: JsonValue | undefined
  return () => (made ??= make())
}
