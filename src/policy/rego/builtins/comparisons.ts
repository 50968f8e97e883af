/** Comparing values and asking for their kinds. @module */
import { compare, isArray, kindName, RegoObject, RegoSet, equal, type KindName, type Value } from '../value.js'
import { ANY, BOOLEAN, builtin, type Builtin, STRING } from './builtin.js'

type Pair = readonly [Value, Value]

function comparison(holds: (order: number) => boolean): Builtin {
  return builtin([ANY, ANY], BOOLEAN, ([a, b]: Pair) => holds(compare(a, b)))
}

function isKind(...names: readonly KindName[]): Builtin {
  return {
    ...builtin([ANY], BOOLEAN, ([a]: readonly [Value]) => names.includes(kindName(a))),
    shallow: true,
  }
}

function values(collection: Value): readonly Value[] {
  if (isArray(collection)) return collection
  if (collection instanceof RegoSet) return collection.members()
  return collection instanceof RegoObject ? collection.entries().map(([, value]) => value) : []
}

function hasPair(collection: Value, key: Value, value: Value): boolean {
  if (isArray(collection))
    return typeof key === 'number' && collection[key] !== undefined && equal(collection[key], value)
  if (collection instanceof RegoSet) return equal(key, value) && collection.has(value)
  const there = collection instanceof RegoObject ? collection.get(key) : undefined
  return there !== undefined && equal(there, value)
}

export const COMPARISONS: readonly (readonly [string, Builtin])[] = [
  ['equal', { ...comparison((order) => order === 0), sameKind: true }],
  ['neq', comparison((order) => order !== 0)],
  ['lt', comparison((order) => order < 0)],
  ['lte', comparison((order) => order <= 0)],
  ['gt', comparison((order) => order > 0)],
  ['gte', comparison((order) => order >= 0)],
  [
    'internal.member_2',
    builtin([ANY, ANY], BOOLEAN, ([value, of]: Pair) => values(of).some((each) => equal(each, value))),
  ],
  [
    'internal.member_3',
    builtin([ANY, ANY, ANY], BOOLEAN, ([key, value, of]: readonly [Value, Value, Value]) => hasPair(of, key, value)),
  ],
  ['type_name', { ...builtin([ANY], STRING, ([value]: readonly [Value]) => kindName(value)), shallow: true }],
  ['is_string', isKind('string')],
  ['is_number', isKind('number')],
  ['is_boolean', isKind('boolean')],
  ['is_null', isKind('null')],
  ['is_array', isKind('array')],
  ['is_object', isKind('object')],
  ['is_set', isKind('set')],
]
