/** The parts of values: members, keys, positions. @module */
import { isArray, RegoObject, RegoSet, type Value } from './value.js'

export function isCollection(value: Value): boolean {
  return isArray(value) || value instanceof RegoObject || value instanceof RegoSet
}

/**
 * Whether one of the keys and values will do: positions of an array, members of a set with themselves. One after the other, since
 * most who look for one stop early, and nobody counts what is made for the rest.
 */
export function somePair(of: Value, suits: (key: Value, value: Value) => boolean): boolean {
  if (isArray(of)) return of.some((item, index) => suits(index, item))
  if (of instanceof RegoSet) return of.members().some((item) => suits(item, item))
  return of instanceof RegoObject && of.entries().some(([key, value]) => suits(key, value))
}

export function member(of: Value, key: Value | undefined): Value | undefined {
  if (key === undefined) return undefined
  if (isArray(of)) return typeof key === 'number' && key >= 0 ? of[key] : undefined
  if (of instanceof RegoSet) return of.has(key) ? key : undefined
  return of instanceof RegoObject ? of.get(key) : undefined
}
