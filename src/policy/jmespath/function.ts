/** How a JMESPath function is declared: the types of its parameters, and what it makes of them. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { Clock } from '#time'
import type { Budget } from './budget.js'
import { evaluationError } from './jmespath-error.js'

/** An expression that a function applies itself: `&name`. */
export class ExpressionArgument {
  readonly apply: (value: JsonValue) => JsonValue

  constructor(apply: (value: JsonValue) => JsonValue) {
    this.apply = apply
  }
}

/** What a parameter may be given. */
export type Argument = JsonValue | ExpressionArgument

/** What a function may use besides its arguments. */
export interface Surroundings {
  readonly clock: Clock
  readonly budget: Budget
  /** Any YAML document as js-yaml reads it. */
  readonly parseYaml: (text: string) => unknown
}

interface Types {
  any: JsonValue
  string: string
  number: number
  array: readonly JsonValue[]
  object: JsonObject
  expression: ExpressionArgument
  'string or number': string | number
  'array or object': readonly JsonValue[] | JsonObject
  'array or string': readonly JsonValue[] | string
  'string, array or object': string | readonly JsonValue[] | JsonObject
  numbers: readonly number[]
  strings: readonly string[]
  'numbers or strings': readonly number[] | readonly string[]
}

/** The name of a type of parameter. */
export type Parameter = keyof Types

const isText = (value: Argument): boolean => typeof value === 'string'
const isNumber = (value: Argument): boolean => typeof value === 'number'
const isArray = (value: Argument): value is readonly JsonValue[] => Array.isArray(value)
const isObject = (value: Argument): boolean => !(value instanceof ExpressionArgument) && isJsonObject(value)
const areNumbers = (value: Argument): boolean => isArray(value) && value.every(isNumber)
const areTexts = (value: Argument): boolean => isArray(value) && value.every(isText)

const ACCEPTS: Readonly<Record<Parameter, (value: Argument) => boolean>> = {
  any: (value) => !(value instanceof ExpressionArgument),
  string: isText,
  number: isNumber,
  array: isArray,
  object: isObject,
  expression: (value) => value instanceof ExpressionArgument,
  'string or number': (value) => isText(value) || isNumber(value),
  'array or object': (value) => isArray(value) || isObject(value),
  'array or string': (value) => isArray(value) || isText(value),
  'string, array or object': (value) => isText(value) || isArray(value) || isObject(value),
  numbers: areNumbers,
  strings: areTexts,
  'numbers or strings': (value) => areNumbers(value) || areTexts(value),
}

/** A declared function. */
export interface JmesFunction {
  readonly parameters: readonly Parameter[]
  /** Whether the last parameter may be given any number of times. */
  readonly variadic: boolean
  readonly call: (surroundings: Surroundings, args: readonly Argument[]) => JsonValue
}

/** A line of the table of functions. */
export type FunctionLine = readonly [name: string, declared: JmesFunction]

type Given<P extends readonly Parameter[]> = { [I in keyof P]: Types[P[I]] }

/** A function with a fixed number of parameters. */
export function takes<const P extends readonly Parameter[]>(
  parameters: P,
  body: (args: Given<P>, surroundings: Surroundings) => JsonValue,
): JmesFunction {
  return {
    parameters,
    variadic: false,
    call: (surroundings, args) => {
      check(parameters, args)
      return body(args as Given<P>, surroundings) // checked just above
    },
  }
}

/** A function that takes one or more of a type. */
export function takesMany<P extends Parameter>(
  parameter: P,
  body: (args: readonly Types[P][], surroundings: Surroundings) => JsonValue,
): JmesFunction {
  return {
    parameters: [parameter],
    variadic: true,
    call: (surroundings, args) => {
      check(
        args.map(() => parameter),
        args,
      )
      return body(args as readonly Types[P][], surroundings) // checked just above
    },
  }
}

function check(parameters: readonly Parameter[], args: readonly Argument[]): void {
  parameters.forEach((parameter, index) => {
    const value = args[index]
    if (value === undefined || !ACCEPTS[parameter](value)) {
      throw evaluationError(`argument ${String(index + 1)} is of another type`, {
        expected: parameter,
        found: typeName(value ?? null),
      })
    }
  })
}

/** JMESPath's name for the type of a value. */
export function typeName(value: Argument): string {
  if (value instanceof ExpressionArgument) return 'expression'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
