/** JSON text to values, with a bound on depth. @module */
import { EncodingError } from './encoding-error.js'
import { countNames, duplicateName, hasMoreValues } from './json-shape.js'
import { decodeUtf8 } from './utf8.js'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue
}

const MAX_DEPTH = 200

/** How much a text may hold. */
export interface JsonLimits {
  /** Members and elements, all together: a hundred megabytes of `[]` would fill the memory many times over. */
  readonly values?: number
  /** Levels of nesting. More than the usual number only where {@link isNestedDeeper} is asked before anybody walks the value. */
  readonly depth?: number
}

/**
 * Reads JSON. Nesting is bounded, since every consumer walks values recursively, and a name stands once in an object: of two, one
 * reader takes the first and another the last, and what was verified would not be what is used (RFC 7493 §2.3).
 * @throws {@link EncodingError} JSON or UTF8
 */
export function parseJson(source: string | Uint8Array, limits?: JsonLimits): JsonValue {
  const text = typeof source === 'string' ? source : decodeUtf8(source)
  if (limits?.values !== undefined && hasMoreValues(text, limits.values)) {
    throw new EncodingError('JSON', 'JSON has too many values', { expected: `at most ${String(limits.values)}` })
  }
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    // The engine's message quotes the text, which may hold a secret.
    throw new EncodingError('JSON', 'not JSON text', { found: `${String(text.length)} characters` })
  }
  // A name that stands twice in an object stands once in what is read of it.
  if (countNames(text, limits?.depth ?? MAX_DEPTH) !== countMembers(value)) throw namedTwice(duplicateName(text))
  return value
}

/** Whether a value is an object with members, not an array or null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value has more levels than that. It walks without recursion, whatever the value is. */
export function isNestedDeeper(value: JsonValue, levels: number): boolean {
  const open: { readonly value: JsonValue; readonly level: number }[] = [{ value, level: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    const level = next.level + 1
    if (level > levels) return true
    for (const inner of Object.values(next.value) as readonly JsonValue[]) open.push({ value: inner, level })
  }
  return false
}

/** The members of all objects in a value. */
function countMembers(value: JsonValue): number {
  let members = 0
  const open: JsonValue[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const inner = Object.values(next) as readonly JsonValue[]
    if (!Array.isArray(next)) members += inner.length
    for (const each of inner) if (typeof each === 'object' && each !== null) open.push(each)
  }
  return members
}

function namedTwice(name: string): EncodingError {
  return new EncodingError('JSON', 'a name stands twice in one JSON object', {
    expected: 'each name once',
    found: name.slice(0, 60),
  })
}
