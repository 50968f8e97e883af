/** How large values are, so that small texts cannot make huge ones that share their parts. @module */
import { BigNumber } from './number.js'
import { isArray, RegoObject, RegoSet, type Value } from './value.js'

const weights = new WeakMap<object, number>()

/** Numbers that no double holds are computed digit by digit. */
const BIG_NUMBER = 128

/** The number of values in a value, counting what is in it twice as two; a text counts by its length. */
export function weightOf(value: Value): number {
  if (typeof value === 'string') return 1 + value.length / 16
  if (value instanceof BigNumber) return BIG_NUMBER
  if (!isArray(value) && !(value instanceof RegoObject) && !(value instanceof RegoSet)) return 1
  const known = weights.get(value)
  if (known !== undefined) return known
  const parts = isArray(value) ? value : value instanceof RegoSet ? value.members() : value.entries().flat()
  let weight = 1
  for (const part of parts) weight += weightOf(part)
  weights.set(value, weight)
  return weight
}
