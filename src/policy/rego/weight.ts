/** How large values are, so that small texts cannot make huge ones that share their parts. @module */
import { isArray, RegoObject, RegoSet, type Value } from './value.js'

const weights = new WeakMap<object, number>()

/** The number of values in a value, counting what is in it twice as two; a text counts by its length. */
export function weightOf(value: Value): number {
  if (typeof value === 'string') return 1 + value.length / 16
  if (!isArray(value) && !(value instanceof RegoObject) && !(value instanceof RegoSet)) return 1
  const known = weights.get(value)
  if (known !== undefined) return known
  const parts = isArray(value) ? value : value instanceof RegoSet ? value.members() : value.entries().flat()
  let weight = 1
  for (const part of parts) weight += weightOf(part)
  weights.set(value, weight)
  return weight
}
