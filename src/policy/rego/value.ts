/** Rego's values, their total order, and the way from and to JSON. @module */
import type { JsonValue } from '#encoding/json'
import { BigNumber, compareNumbers, numberOfJson, numberText, type RegoNumber } from './number.js'
import { RegoError } from './rego-error.js'

export type Value = null | boolean | RegoNumber | string | readonly Value[] | RegoObject | RegoSet

/** Kinds in the order in which Rego compares values of different ones; each a bit for sets of kinds. */
export const KIND = { null: 1, boolean: 2, number: 4, string: 8, array: 16, object: 32, set: 64 } as const
export const ANY = 127
export type KindName = keyof typeof KIND

/** An object: keys are any values. */
export class RegoObject {
  readonly #given: readonly (readonly [Value, Value])[]
  #byKey: Map<string, readonly [Value, Value]> | undefined
  #sorted: readonly (readonly [Value, Value])[] | undefined

  /** Of two entries with one key the later one counts. */
  constructor(entries: Iterable<readonly [Value, Value]>) {
    this.#given = [...entries]
  }
  get size(): number {
    return this.#index().size
  }
  get(key: Value): Value | undefined {
    return this.#index().get(keyOf(key))?.[1]
  }
  /** In the order of the keys. */
  entries(): readonly (readonly [Value, Value])[] {
    return (this.#sorted ??= [...this.#index().values()].sort(([a], [b]) => compare(a, b)))
  }
  /** Made when it is needed: most of a large input is never looked at. */
  #index(): Map<string, readonly [Value, Value]> {
    return (this.#byKey ??= new Map(this.#given.map((entry) => [keyOf(entry[0]), entry])))
  }
}

export class RegoSet {
  readonly #members = new Map<string, Value>()
  #sorted: readonly Value[] | undefined

  constructor(members: Iterable<Value>) {
    for (const member of members) this.#members.set(keyOf(member), member)
  }
  get size(): number {
    return this.#members.size
  }
  has(value: Value): boolean {
    return this.#members.has(keyOf(value))
  }
  /** In order. */
  members(): readonly Value[] {
    return (this.#sorted ??= [...this.#members.values()].sort(compare))
  }
}

export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export function isNumber(value: Value): value is RegoNumber {
  return typeof value === 'number' || value instanceof BigNumber
}

export function kindName(value: Value): KindName {
  if (value === null) return 'null'
  if (isNumber(value)) return 'number'
  if (isArray(value)) return 'array'
  if (value instanceof RegoObject) return 'object'
  if (value instanceof RegoSet) return 'set'
  return typeof value === 'boolean' ? 'boolean' : 'string'
}

/** Rego's total order. */
export function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (isArray(a) && isArray(b)) return compareLists(a, b)
  if (a instanceof RegoSet && b instanceof RegoSet) return compareLists(a.members(), b.members())
  if (a instanceof RegoObject && b instanceof RegoObject) return compareLists(a.entries().flat(), b.entries().flat())
  return KIND[kindName(a)] - KIND[kindName(b)]
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (const [index, item] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    const order = compare(item, other)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** By code points, which is the order of the bytes in UTF-8. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  let at = 0
  while (a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at > 0 && (a.charCodeAt(at - 1) & 0xfc00) === 0xd800) at--
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1)
}

export function equal(a: Value, b: Value): boolean {
  return compare(a, b) === 0
}

/** A text that is the same for equal values only. */
export function keyOf(value: Value): string {
  if (typeof value === 'string') return `"${value}`
  return nestedKey(value)
}

function nestedKey(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (isNumber(value)) return numberText(value)
  if (isArray(value)) return `[${value.map(nestedKey).join()}]`
  if (value instanceof RegoSet) return `<${value.members().map(nestedKey).join()}>`
  if (value instanceof RegoObject)
    return `{${value
      .entries()
      .map(([key, of]) => `${nestedKey(key)}:${nestedKey(of)}`)
      .join()}}`
  return String(value)
}

const MAX_DEPTH = 200

/** @throws {@link RegoError} REGO_LIMIT if it is nested too deeply */
export function valueOfJson(json: JsonValue, depth = 0): Value {
  if (depth > MAX_DEPTH) throw tooDeep()
  if (typeof json === 'number') return numberOfJson(json)
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return (json as readonly JsonValue[]).map((item) => valueOfJson(item, depth + 1))
  return new RegoObject(Object.entries(json).map(([key, of]) => [key, valueOfJson(of, depth + 1)] as const))
}

/** Sets become arrays, as the original prints them. @throws {@link RegoError} REGO_LIMIT */
export function jsonOfValue(value: Value, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) throw tooDeep()
  if (value instanceof BigNumber) return Number(numberText(value))
  if (isArray(value)) return value.map((item) => jsonOfValue(item, depth + 1))
  if (value instanceof RegoSet) return value.members().map((item) => jsonOfValue(item, depth + 1))
  if (!(value instanceof RegoObject)) return value
  return Object.fromEntries(
    value.entries().map(([key, of]) => [typeof key === 'string' ? key : jsonText(key), jsonOfValue(of, depth + 1)]),
  )
}

/** JSON as Go writes it: sorted keys, and what HTML would stumble over escaped. */
export function jsonText(value: Value): string {
  if (isNumber(value)) return numberText(value)
  if (isArray(value)) return `[${value.map(jsonText).join()}]`
  if (value instanceof RegoSet) return jsonText(value.members())
  if (value instanceof RegoObject) {
    const named = value.entries().map(([key, of]) => [typeof key === 'string' ? key : jsonText(key), of] as const)
    return `{${named.map(([key, of]) => `${jsonText(key)}:${jsonText(of)}`).join()}}`
  }
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A value as Rego text, as `sprintf` prints it. */
export function regoText(value: Value): string {
  if (isArray(value)) return `[${value.map(regoText).join(', ')}]`
  if (value instanceof RegoSet) return value.size === 0 ? 'set()' : `{${value.members().map(regoText).join(', ')}}`
  if (value instanceof RegoObject)
    return `{${value
      .entries()
      .map(([key, of]) => `${regoText(key)}: ${regoText(of)}`)
      .join(', ')}}`
  return isNumber(value) ? numberText(value) : JSON.stringify(value)
}

function tooDeep(): RegoError {
  return new RegoError('REGO_LIMIT', 'a value is nested too deeply', {
    expected: `at most ${String(MAX_DEPTH)} levels`,
  })
}
