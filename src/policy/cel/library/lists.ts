/** More functions of lists: those of CEL's extension, and those of Kubernetes. @module */
import { equalValues, compareValues } from '../compare.js'
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library, Overload, World } from '../environment.js'
import { bool, bytes, double, duration, dyn, int, list, parameter, string, timestamp, uint } from '../kind.js'
import type { Kind } from '../kind.js'
import { sortByKeys } from '../loops.js'
import { intOf, uintOf } from '../numbers.js'
import { durationOf } from '../times.js'
import { Duration, identityOf, isList, Uint } from '../values.js'
import type { CelList, CelValue } from '../values.js'

const T = parameter('T')
const listOfT = list(T)
const integers = list(int)

/** What has an order. */
const COMPARABLE: readonly Kind<CelValue>[] = [int, uint, double, bool, duration, timestamp, string, bytes]

function ofComparable(
  result: Kind<CelValue> | 'list' | 'element',
  body: (values: CelList, world: World) => CelValue,
): readonly Overload[] {
  return COMPARABLE.map((kind) => {
    const given = list(kind)
    const gives = result === 'list' ? given : result === 'element' ? kind : result
    return member([given], gives, ([values], world) => body(values, world))
  })
}

function isSorted(values: CelList, { budget }: World): boolean {
  return values.every((value, index) => {
    const before = values[index - 1]
    return before === undefined || !((compareValues(before, value, budget) ?? 0) > 0)
  })
}

/** The first of those that no other comes before, in the order that is asked for. */
function extreme(name: 'min' | 'max'): (values: CelList, world: World) => CelValue {
  const sign = name === 'min' ? 1 : -1
  return (values, { budget }) => {
    let [best] = values
    if (best === undefined) throw evaluationError(`${name} called on empty list`)
    for (const value of values) if ((compareValues(best, value, budget) ?? 0) * sign > 0) best = value
    return best
  }
}

function sumOf<T extends CelValue>(kind: Kind<T>, zero: T, add: (a: T, b: T) => T): Overload {
  return member([list(kind)], kind, ([values], { budget }) => {
    budget.spend(values.length)
    let total = zero
    for (const value of values) {
      if (!kind.accepts(value)) throw evaluationError('sum: elements of different types')
      total = add(total, value)
    }
    return total
  })
}

function find(values: CelList, wanted: CelValue, { budget }: World): number {
  return values.findIndex((value) => equalValues(value, wanted, budget))
}

function findLast(values: CelList, wanted: CelValue, { budget }: World): number {
  return values.findLastIndex((value) => equalValues(value, wanted, budget))
}

function slice(values: CelList, [start, end]: readonly [bigint, bigint], { budget }: World): CelList {
  const call = `cannot slice(${String(start)}, ${String(end)})`
  if (start < 0n || end < 0n) throw evaluationError(`${call}, negative indexes not supported`)
  if (start > end) throw evaluationError(`${call}, start index must be less than or equal to end index`)
  if (end > BigInt(values.length)) throw evaluationError(`${call}, list is length ${String(values.length)}`)
  budget.elements(Number(end - start))
  return values.slice(Number(start), Number(end))
}

/** A list of lists; an element that is no list stays what it is. */
const nested: Kind<CelList> = { type: list(listOfT).type, accepts: (value): value is CelList => isList(value) }

function flatten(values: CelList, depth: bigint, world: World): CelList {
  if (depth < 0n) throw evaluationError('level must be non-negative')
  const flat: CelValue[] = []
  const add = (value: CelValue, left: bigint): void => {
    world.budget.spend(1)
    if (left > 0n && isList(value)) for (const each of value) add(each, left - 1n)
    else world.budget.element(flat.push(value))
  }
  for (const value of values) add(value, depth)
  return flat
}

function range(count: bigint, { budget }: World): CelList {
  if (count < 0n) throw evaluationError(`lists.range: size must be non-negative, got ${String(count)}`)
  budget.elements(count > 2n ** 31n ? Infinity : Number(count))
  return Array.from({ length: Number(count) }, (_, index) => BigInt(index))
}

/** The first of those that are equal. What can be a key is found at once, anything else by looking at all. */
function distinct(values: CelList, { budget }: World): CelList {
  const seen = new Set<string>()
  const others: CelValue[] = []
  return values.filter((value) => {
    budget.spend(1)
    const identity = identityOf(value)
    if (identity !== undefined) return seen.size < seen.add(identity).size
    if (others.some((other) => equalValues(other, value, budget))) return false
    others.push(value)
    return true
  })
}

export const LISTS: Library = {
  isSorted: ofComparable(bool, isSorted),
  min: ofComparable('element', extreme('min')),
  max: ofComparable('element', extreme('max')),
  sort: ofComparable('list', (values, { budget }) => {
    const pairs = values.map((value) => ({ key: value, element: value }))
    return sortByKeys(pairs, (a, b) => compareValues(a, b, budget) ?? 0)
  }),
  sum: [
    sumOf(int, 0n, (a, b) => intOf(a + b)),
    sumOf(uint, new Uint(0n), (a, b) => uintOf(a.value + b.value)),
    sumOf(double, 0, (a, b) => a + b),
    sumOf(duration, new Duration(0n), (a, b) => durationOf(a.nanos + b.nanos)),
  ],
  indexOf: [member([listOfT, T], int, ([values, wanted], world) => BigInt(find(values, wanted, world)))],
  lastIndexOf: [member([listOfT, T], int, ([values, wanted], world) => BigInt(findLast(values, wanted, world)))],
  slice: [member([listOfT, int, int], listOfT, ([values, start, end], world) => slice(values, [start, end], world))],
  flatten: [
    member([nested], listOfT, ([values], world) => flatten(values, 1n, world)),
    member([list(dyn), int], list(dyn), ([values, depth], world) => flatten(values, depth, world)),
  ],
  'lists.range': [free([int], integers, ([count], world) => range(count, world))],
  reverse: [
    member([listOfT], listOfT, ([values], { budget }) => {
      budget.elements(values.length)
      return values.toReversed()
    }),
  ],
  distinct: [member([listOfT], listOfT, ([values], world) => distinct(values, world))],
}
