/** What a builtin function is. @module */
import type { Pattern } from '#verify/pattern/pattern'
import { ANY, KIND, type Value } from '../value.js'

/** What builtins may use besides their arguments. */
export interface Surroundings {
  /** Nanoseconds since the epoch, the same throughout a query. */
  readonly now: bigint
  /** Counts work. @throws RegoError REGO_LIMIT */
  readonly spend: (steps: number) => void
  /** Compiles a pattern, or finds it again. @throws RegoError REGO_UNSUPPORTED or REGO_LIMIT */
  readonly pattern: (source: string) => Pattern
}

export interface Builtin {
  /** The kinds each argument may be of. Others make the call undefined. */
  readonly args: readonly number[]
  readonly result: number
  /** The value, or undefined where the original has an error. */
  readonly run: (args: readonly Value[], around: Surroundings) => Value | undefined
  /** Whether the work does not grow with the size of what is in the arguments. */
  readonly shallow?: boolean
  /** Whether arguments of different kinds are refused at load. */
  readonly sameKind?: boolean
  /** Throws for constant arguments that can never be right. */
  readonly check?: (args: readonly (Value | undefined)[], line: number) => void
}

export const NULL: number = KIND.null
export const BOOLEAN: number = KIND.boolean
export const NUMBER: number = KIND.number
export const STRING: number = KIND.string
export const ARRAY: number = KIND.array
export const OBJECT: number = KIND.object
export const SET: number = KIND.set
export const COLLECTION: number = ARRAY | OBJECT | SET
export { ANY }

/** A builtin. `run` sees only arguments of the given kinds, which is what makes the types of its parameters true. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function builtin<Args extends readonly Value[]>(
  args: readonly number[],
  result: number,
  run: (args: Args, around: Surroundings) => Value | undefined,
): Builtin {
  return { args, result, run: (values, around) => run(values as unknown as Args, around) }
}
