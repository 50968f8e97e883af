/** Arrays, objects and sets. @module */
import { compare, isArray, RegoObject, RegoSet, type Value } from '../value.js'
import {
  ANY,
  ARRAY,
  BOOLEAN,
  builtin,
  type Builtin,
  COLLECTION,
  NUMBER,
  OBJECT,
  SET,
  STRING,
  type Surroundings,
} from './builtin.js'
import { membersOf } from './numbers.js'
import { pointsOf } from './points.js'

type List = readonly Value[]
type One = readonly [Value]

function count(value: Value, around: Surroundings): number {
  if (typeof value === 'string') return pointsOf(value, around).length
  if (isArray(value)) return value.length
  return value instanceof RegoObject || value instanceof RegoSet ? value.size : 0
}

function extreme(sign: 1 | -1): Builtin {
  return builtin([ARRAY | SET], ANY, ([of]: One) =>
    membersOf(of).reduce<Value | undefined>(
      (best, each) => (best === undefined || sign * compare(each, best) > 0 ? each : best),
      undefined,
    ),
  )
}

function slice(array: List, from: Value, to: Value): Value | undefined {
  if (typeof from !== 'number' || typeof to !== 'number') return undefined
  if (!Number.isInteger(from) || !Number.isInteger(to)) return undefined
  return array.slice(Math.max(from, 0), Math.max(to, from, 0))
}

/** Null is a value. */
function orElse(value: Value | undefined, otherwise: Value): Value {
  return value === undefined ? otherwise : value
}

/** The value at a key, or at a path of keys. */
function get(object: RegoObject, key: Value, otherwise: Value): Value {
  if (!isArray(key)) return orElse(object.get(key), otherwise)
  let value: Value | undefined = object
  for (const step of key) {
    if (value === undefined) return otherwise
    if (isArray(value)) value = typeof step === 'number' ? value[step] : undefined
    else if (value instanceof RegoObject) value = value.get(step)
    else value = value instanceof RegoSet && value.has(step) ? step : undefined
  }
  return orElse(value, otherwise)
}

function keysOf(value: Value): List {
  return value instanceof RegoObject ? value.entries().map(([key]) => key) : membersOf(value)
}

function merged(a: RegoObject, b: RegoObject): RegoObject {
  const both = b.entries().map(([key, value]) => {
    const there = a.get(key)
    return [key, there instanceof RegoObject && value instanceof RegoObject ? merged(there, value) : value] as const
  })
  return new RegoObject([...a.entries(), ...both])
}

function withKeys(of: (has: (key: Value) => boolean, key: Value) => boolean): Builtin {
  return builtin([OBJECT, COLLECTION], OBJECT, ([object, keys]: readonly [RegoObject, Value]) => {
    const wanted = new RegoSet(keysOf(keys))
    return new RegoObject(object.entries().filter(([key]) => of((each) => wanted.has(each), key)))
  })
}

type Sets = readonly [RegoSet, RegoSet]

function both(a: RegoSet, b: RegoSet): RegoSet {
  return new RegoSet(a.members().filter((each) => b.has(each)))
}

function either(a: RegoSet, b: RegoSet): RegoSet {
  return new RegoSet([...a.members(), ...b.members()])
}

function setsIn(value: RegoSet): readonly RegoSet[] | undefined {
  const sets = value.members().filter((each) => each instanceof RegoSet)
  return sets.length === value.size ? sets : undefined
}

function intersection(value: RegoSet): Value | undefined {
  const sets = setsIn(value)
  return (
    sets?.reduce<RegoSet | undefined>((all, each) => (all === undefined ? each : both(all, each)), undefined) ??
    (sets === undefined ? undefined : new RegoSet([]))
  )
}

function union(value: RegoSet): Value | undefined {
  const sets = setsIn(value)
  return sets === undefined ? undefined : new RegoSet(sets.flatMap((each) => each.members()))
}

function every(of: Value): boolean {
  return membersOf(of).every((each) => each === true)
}

function some(of: Value): boolean {
  return membersOf(of).some((each) => each === true)
}

export const COLLECTIONS: readonly (readonly [string, Builtin])[] = [
  ['count', { ...builtin([COLLECTION | STRING], NUMBER, ([of]: One, around) => count(of, around)), shallow: true }],
  ['max', extreme(1)],
  ['min', extreme(-1)],
  ['sort', builtin([ARRAY | SET], ARRAY, ([of]: One) => [...membersOf(of)].sort(compare))],
  ['all', builtin([ARRAY | SET], BOOLEAN, ([of]: One) => every(of))],
  ['any', builtin([ARRAY | SET], BOOLEAN, ([of]: One) => some(of))],
  ['array.concat', builtin([ARRAY, ARRAY], ARRAY, ([a, b]: readonly [List, List]) => [...a, ...b])],
  [
    'array.slice',
    builtin([ARRAY, NUMBER, NUMBER], ARRAY, ([a, from, to]: readonly [List, Value, Value]) => slice(a, from, to)),
  ],
  ['array.reverse', builtin([ARRAY], ARRAY, ([a]: readonly [List]) => [...a].reverse())],
  [
    'object.get',
    {
      ...builtin([OBJECT, ANY, ANY], ANY, ([of, key, otherwise]: readonly [RegoObject, Value, Value]) =>
        get(of, key, otherwise),
      ),
      shallow: true,
    },
  ],
  ['object.keys', builtin([OBJECT], SET, ([of]: readonly [RegoObject]) => new RegoSet(keysOf(of)))],
  ['object.remove', withKeys((has, key) => !has(key))],
  ['object.filter', withKeys((has, key) => has(key))],
  ['object.union', builtin([OBJECT, OBJECT], OBJECT, ([a, b]: readonly [RegoObject, RegoObject]) => merged(a, b))],
  ['and', builtin([SET, SET], SET, ([a, b]: Sets) => both(a, b))],
  ['or', builtin([SET, SET], SET, ([a, b]: Sets) => either(a, b))],
  ['intersection', builtin([SET], SET, ([of]: readonly [RegoSet]) => intersection(of))],
  ['union', builtin([SET], SET, ([of]: readonly [RegoSet]) => union(of))],
]
