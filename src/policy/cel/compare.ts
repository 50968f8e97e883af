/** Equality and order of values. Numbers of all three kinds compare by what they are worth. @module */
import type { Budget } from './budget.js'
import { evaluationError, noSuchOverload } from './cel-error.js'
import {
  CelMap,
  Duration,
  isList,
  Opaque,
  Optional,
  PENDING,
  Timestamp,
  typeNameOf,
  TypeValue,
  Uint,
} from './values.js'
import type { CelList, CelValue } from './values.js'

/**
 * Whether two values are equal. Values of different types are not, except numbers.
 * @throws CelError `CEL_LIMIT`
 */
export function equalValues(a: CelValue, b: CelValue, budget: Budget): boolean {
  budget.spend(1)
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined || y !== undefined) return x !== undefined && y !== undefined && compareNumbers(x, y) === 0
  if (typeof a === 'string') {
    budget.read(a.length)
    return a === b
  }
  if (a === null || typeof a === 'boolean') return a === b
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b, budget) === 0
  if (isList(a)) return isList(b) && equalLists(a, b, budget)
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b, budget)
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional) return b instanceof Optional && equalOptionals(a, b, budget)
  return a instanceof Opaque && b instanceof Opaque && a.typeName === b.typeName && a.equals(b)
}

function equalLists(a: CelList, b: CelList, budget: Budget): boolean {
  return (
    a.length === b.length &&
    a.every((element, index) => {
      const other = b[index]
      return other !== undefined && equalValues(element, other, budget)
    })
  )
}

function equalMaps(a: CelMap, b: CelMap, budget: Budget): boolean {
  if (a.size !== b.size) return false
  return a.keys().every((key) => {
    const value = a.get(key)
    const other = b.get(key)
    if (value === PENDING || other === PENDING) throw evaluationError('these maps cannot be compared')
    return value !== undefined && other !== undefined && equalValues(value, other, budget)
  })
}

function equalOptionals(a: Optional, b: Optional, budget: Budget): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value
  return equalValues(a.value, b.value, budget)
}

/** The value of a number of any kind. */
export function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : undefined
}

/**
 * Negative, zero or positive; undefined where one of the two is not a number (NaN).
 * @throws CelError `CEL_EVALUATION` if the values have no order
 */
export function compareValues(a: CelValue, b: CelValue, budget: Budget): number | undefined {
  budget.spend(1)
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== undefined && y !== undefined) return compareNumbers(x, y)
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b, budget)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b, budget)
  if (a instanceof Timestamp && b instanceof Timestamp) return compareNanos(a.nanos, b.nanos)
  if (a instanceof Duration && b instanceof Duration) return compareNanos(a.nanos, b.nanos)
  throw noSuchOverload('compare', [typeNameOf(a), typeNameOf(b)])
}

/** An integer beside a double counts as the double that is nearest to it. */
function compareNumbers(a: bigint | number, b: bigint | number): number | undefined {
  const [x, y] = typeof a === typeof b ? [a, b] : [Number(a), Number(b)]
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : undefined
}

function compareNanos(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** By code points, which is the order of the bytes in UTF-8. JavaScript's own is that of UTF-16. */
function compareTexts(a: string, b: string, budget: Budget): number {
  budget.read(Math.min(a.length, b.length))
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at === length) return a.length - b.length
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at))
}

/** Surrogates stand for code points above all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

function compareBytes(a: Uint8Array, b: Uint8Array, budget: Budget): number {
  budget.read(Math.min(a.length, b.length))
  for (const [index, byte] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    if (byte !== other) return byte - other
  }
  return a.length - b.length
}
