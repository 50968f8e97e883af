/** How JMESPath and Kyverno see JSON values: what is false, what is equal, and how a value is written as text. @module */
import { stringifyLikeGo, type GoValue } from '#encoding/go-json'
import type { JsonValue } from '#encoding/json'
import type { Budget } from './budget.js'

/** Whether a value counts as false: nothing, false, and what is empty. Zero does not. */
export function isFalse(value: JsonValue): boolean {
  if (value === null || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Whether two values are the same all the way down. */
export function equalValues(a: JsonValue, b: JsonValue, budget: Budget): boolean {
  budget.spend(1)
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const entries = Object.entries(a) as readonly (readonly [string, JsonValue])[]
  if (entries.length !== Object.keys(b).length) return false
  return entries.every(([name, value]) => {
    const other = memberOf(b, name)
    return other !== undefined && equalValues(value, other, budget)
  })
}

/** The member of an object, or the element of an array, that is its own. */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Readonly<Record<string, JsonValue>>)[name]
}

/** JSON text, once its size is known to be allowed. */
export function jsonText(value: JsonValue, budget: Budget): string {
  budget.measure(value)
  return budget.text(writtenByGo(value))
}

/** JSON as Go writes it: names in order, and what HTML would read escaped. */
export function writtenByGo(value: JsonValue): string {
  return stringifyLikeGo(withMaps(value))
}

function withMaps(value: JsonValue): GoValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(withMaps)
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>)
  return new Map(entries.map(([name, each]) => [name, withMaps(each)]))
}

/** A value the way Go prints it, which is how Kyverno compares members of lists. */
export function goText(value: JsonValue, budget: Budget): string {
  if (typeof value === 'string') return value
  if (value === null) return '<nil>'
  if (typeof value === 'number') return goNumber(value)
  return jsonText(value, budget)
}

/** Go's %v of a float64: an exponent where it is below -4, and from a million on. */
export function goNumber(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const size = Number(exponent)
  if (value === 0) return '0'
  if (size >= -4 && size < 6) return plainNumber(value)
  return `${digits}e${size < 0 ? '-' : '+'}${String(Math.abs(size)).padStart(2, '0')}`
}

/** A number in digits, without an exponent. */
export function plainNumber(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  const [digits = '', exponent = '0'] = text.split('e')
  const sign = digits.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.')
  const size = Number(exponent)
  if (size >= 0) return `${sign}${whole}${fraction.padEnd(size, '0')}`
  return `${sign}0.${'0'.repeat(-size - 1)}${whole}${fraction}`
}
