/** What a function takes, as a type for the checker, a test for the evaluator, and a TypeScript type for its body. @module */
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  opaque,
  optionalOf,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from './types.js'
import type { CelType } from './types.js'
import { CelMap, Duration, isList, Optional, PENDING, Timestamp, TypeValue, Uint } from './values.js'
import type { CelList, CelValue, Opaque } from './values.js'

/** A parameter of a function. */
export interface Kind<T extends CelValue> {
  readonly type: CelType
  /** Of collections, the first element decides, as in the originals. */
  accepts(value: CelValue): value is T
}

function kindOf<T extends CelValue>(type: CelType, accepts: (value: CelValue) => value is T): Kind<T> {
  return { type, accepts }
}

export const bool: Kind<boolean> = kindOf(BOOL, (value) => typeof value === 'boolean')
export const int: Kind<bigint> = kindOf(INT, (value) => typeof value === 'bigint')
export const uint: Kind<Uint> = kindOf(UINT, (value) => value instanceof Uint)
export const double: Kind<number> = kindOf(DOUBLE, (value) => typeof value === 'number')
export const string: Kind<string> = kindOf(STRING, (value) => typeof value === 'string')
export const bytes: Kind<Uint8Array> = kindOf(BYTES, (value) => value instanceof Uint8Array)
export const timestamp: Kind<Timestamp> = kindOf(TIMESTAMP, (value) => value instanceof Timestamp)
export const duration: Kind<Duration> = kindOf(DURATION, (value) => value instanceof Duration)
export const typeValue: Kind<TypeValue> = kindOf(TYPE, (value) => value instanceof TypeValue)
export const dyn: Kind<CelValue> = kindOf(DYN, (_value): _value is CelValue => true)

/** Any type, the same one wherever the name occurs in one signature. */
export function parameter(name: string): Kind<CelValue> {
  return kindOf({ kind: 'parameter', name }, (_value): _value is CelValue => true)
}

export function list(element: Kind<CelValue>): Kind<CelList> {
  return kindOf(listOf(element.type), (value): value is CelList => {
    if (!isList(value)) return false
    const [first] = value
    return first === undefined || element.accepts(first)
  })
}

export function map(key: Kind<CelValue>, value: Kind<CelValue>): Kind<CelMap> {
  return kindOf(mapOf(key.type, value.type), (candidate): candidate is CelMap => {
    if (!(candidate instanceof CelMap)) return false
    if (value.type.kind === 'dyn' || value.type.kind === 'parameter') return true
    const [first] = candidate.keys()
    if (first === undefined) return true
    const found = candidate.get(first)
    return key.accepts(first) && found !== undefined && (found === PENDING || value.accepts(found))
  })
}

export function optional(value: Kind<CelValue>): Kind<Optional> {
  return kindOf(optionalOf(value.type), (candidate): candidate is Optional => {
    if (!(candidate instanceof Optional)) return false
    return candidate.value === undefined || value.accepts(candidate.value)
  })
}

/** Values of a class of a library. */
export function opaqueKind<T extends Opaque>(name: string, type: abstract new (...args: never[]) => T): Kind<T> {
  return kindOf(opaque(name), (value): value is T => value instanceof type)
}
