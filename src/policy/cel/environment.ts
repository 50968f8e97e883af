/** What expressions may name: functions with their overloads, and variables with their types. @module */
import type { Pattern } from '#verify/pattern/pattern'
import type { Asks } from './asks.js'
import type { Budget } from './budget.js'
import type { Kind } from './kind.js'
import type { CelType } from './types.js'
import type { CelValue, Outcome } from './values.js'

/** What a function may use besides its arguments. */
export interface World {
  readonly budget: Budget
  /** For what takes time: the call is pending until it is answered. */
  readonly asks: Asks
  /** A variable of the evaluation, also one that no expression can name. */
  lookup(name: string): Outcome | undefined
  /** @throws CelError `CEL_EVALUATION` if it is no pattern */
  pattern(source: string): Pattern
}

/** One form of a function. */
export interface Overload {
  /** `a.f(b)` rather than `f(a, b)`. */
  readonly member: boolean
  readonly parameters: readonly Kind<CelValue>[]
  readonly result: CelType
  call(args: readonly CelValue[], world: World): Outcome
}

type Arguments<K extends readonly Kind<CelValue>[]> = {
  readonly [I in keyof K]: K[I] extends Kind<infer T> ? T : never
}

/** `name(…)` */
export function free<const K extends readonly Kind<CelValue>[]>(
  parameters: K,
  result: Kind<CelValue>,
  body: (args: Arguments<K>, world: World) => Outcome,
): Overload {
  return overloadOf(false, { parameters, result, body })
}

/** `receiver.name(…)`; the receiver is the first parameter. */
export function member<const K extends readonly Kind<CelValue>[]>(
  parameters: K,
  result: Kind<CelValue>,
  body: (args: Arguments<K>, world: World) => Outcome,
): Overload {
  return overloadOf(true, { parameters, result, body })
}

interface Body<K extends readonly Kind<CelValue>[]> {
  readonly parameters: K
  readonly result: Kind<CelValue>
  readonly body: (args: Arguments<K>, world: World) => Outcome
}

function overloadOf<const K extends readonly Kind<CelValue>[]>(
  isMember: boolean,
  { parameters, result, body }: Body<K>,
): Overload {
  return {
    member: isMember,
    parameters,
    result: result.type,
    // The evaluator calls an overload only with arguments that its kinds accept.
    call: (args, world) => body(args as Arguments<K>, world),
  }
}

/** A table of functions: each name with its overloads. */
export type Library = Readonly<Record<string, readonly Overload[]>>

/** An immutable set of names. */
export class CelEnvironment {
  readonly #functions: ReadonlyMap<string, readonly Overload[]>
  readonly #variables: ReadonlyMap<string, CelType>
  readonly #refused: ReadonlyMap<string, string>

  constructor(
    functions: ReadonlyMap<string, readonly Overload[]> = new Map(),
    variables: ReadonlyMap<string, CelType> = new Map(),
    refused: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#functions = functions
    this.#variables = variables
    this.#refused = refused
  }

  /** With more functions; overloads of a name that is known come behind those that it has. */
  withFunctions(...libraries: readonly Library[]): CelEnvironment {
    const functions = new Map(this.#functions)
    for (const [name, overloads] of libraries.flatMap((library) => Object.entries(library)))
      functions.set(name, [...(functions.get(name) ?? []), ...overloads])
    return new CelEnvironment(functions, this.#variables, this.#refused)
  }

  withVariables(variables: Readonly<Record<string, CelType>>): CelEnvironment {
    const all = new Map([...this.#variables, ...Object.entries(variables)])
    return new CelEnvironment(this.#functions, all, this.#refused)
  }

  /** Names that the originals have and that are deliberately not here, each with the reason. */
  refusing(names: Readonly<Record<string, string>>): CelEnvironment {
    return new CelEnvironment(this.#functions, this.#variables, new Map([...this.#refused, ...Object.entries(names)]))
  }

  overloads(name: string): readonly Overload[] | undefined {
    return this.#functions.get(name)
  }

  variable(name: string): CelType | undefined {
    return this.#variables.get(name)
  }

  refusal(name: string): string | undefined {
    return this.#refused.get(name)
  }
}
