/** JSON ⇄ CEL, as Kubernetes shows its objects to CEL. @module */
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { Budget } from './budget.js'
import { evaluationError } from './cel-error.js'
import { formatDuration, formatTimestamp } from './times.js'
import { CelMap, Duration, isList, PENDING, Timestamp, typeNameOf, Uint } from './values.js'
import type { CelValue } from './values.js'

/** A JSON object as a map; its values are looked at when they are asked for. */
class JsonMap extends CelMap {
  readonly #object: JsonObject
  readonly #convert: (value: JsonValue) => CelValue

  constructor(object: JsonObject, convert: (value: JsonValue) => CelValue) {
    super()
    this.#object = object
    this.#convert = convert
  }

  override get size(): number {
    return Object.keys(this.#object).length
  }

  override get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.#object, key)) return undefined
    const value = this.#object[key]
    return value === undefined ? undefined : this.#convert(value)
  }

  override keys(): readonly CelValue[] {
    return Object.keys(this.#object)
  }
}

const INT_END = 2 ** 63

/** An object of Kubernetes. JSON has one kind of number: whole ones are integers, however they were written. */
export function fromJson(value: JsonValue): CelValue {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < INT_END ? BigInt(value) : value
  return converted(value, fromJson)
}

/** JSON from a text, whose numbers are doubles. */
export function fromJsonText(value: JsonValue): CelValue {
  return typeof value === 'number' ? value : converted(value, fromJsonText)
}

function converted(value: Exclude<JsonValue, number>, convert: (value: JsonValue) => CelValue): CelValue {
  if (isJsonObject(value)) return new JsonMap(value, convert)
  if (typeof value !== 'object' || value === null) return value
  return value.map(convert)
}

/**
 * A value as JSON.
 * @throws CelError `CEL_EVALUATION` for what JSON does not have, `CEL_LIMIT`
 */
export function toJson(value: CelValue, budget: Budget): JsonValue {
  budget.spend(1)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') {
    budget.read(value.length)
    return value
  }
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (value instanceof Uint8Array) return encodeBase64(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (isList(value)) return value.map((each) => toJson(each, budget))
  if (value instanceof CelMap) return objectOf(value, budget)
  throw evaluationError(`a value of type ${typeNameOf(value)} has no JSON form`)
}

function objectOf(map: CelMap, budget: Budget): JsonObject {
  const entries = map.keys().map((key) => {
    const name =
      typeof key === 'boolean' || typeof key === 'bigint' ? String(key) : key instanceof Uint ? String(key.value) : key
    const value = map.get(key)
    if (typeof name !== 'string' || value === undefined || value === PENDING)
      throw evaluationError('this map has no JSON form')
    return [name, toJson(value, budget)] as const
  })
  return Object.fromEntries(entries)
}
