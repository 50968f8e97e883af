/** Arithmetic, also on sets. @module */
import {
  add,
  compareNumbers,
  divide,
  isWhole,
  multiply,
  numberOf,
  numberText,
  type RegoNumber,
  remainder,
  rounded,
  subtract,
} from '../number.js'
import { isArray, isNumber, RegoSet, type Value } from '../value.js'
import { ARRAY, BOOLEAN, builtin, type Builtin, NULL, NUMBER, SET, STRING } from './builtin.js'

type Numbers = readonly [RegoNumber, RegoNumber]

function arithmetic(of: (a: RegoNumber, b: RegoNumber) => RegoNumber | undefined): Builtin {
  return builtin([NUMBER, NUMBER], NUMBER, ([a, b]: Numbers) => of(a, b))
}

function rounding(mode: 'floor' | 'ceil' | 'round'): Builtin {
  return builtin([NUMBER], NUMBER, ([a]: readonly [RegoNumber]) => rounded(a, mode))
}

function minus(a: Value, b: Value): Value | undefined {
  if (isNumber(a) && isNumber(b)) return subtract(a, b)
  if (a instanceof RegoSet && b instanceof RegoSet) return new RegoSet(a.members().filter((each) => !b.has(each)))
  return undefined
}

function toNumber(value: Value): Value | undefined {
  if (value === null) return 0
  if (typeof value === 'boolean') return Number(value)
  if (isNumber(value)) return value
  return typeof value === 'string' && /^[+-]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value)
    ? numberOf(value.replace('+', ''))
    : undefined
}

function range(a: RegoNumber, b: RegoNumber, spend: (steps: number) => void): Value | undefined {
  if (typeof a !== 'number' || typeof b !== 'number' || !isWhole(a) || !isWhole(b)) return undefined
  spend(Math.abs(b - a))
  return Array.from({ length: Math.abs(b - a) + 1 }, (_, index) => (a <= b ? a + index : a - index))
}

const BASES: ReadonlyMap<number, string> = new Map([
  [2, '2'],
  [8, '8'],
  [10, '10'],
  [16, '16'],
])

function formatted(value: RegoNumber, base: RegoNumber): Value | undefined {
  if (typeof base !== 'number' || !BASES.has(base) || !isWhole(value)) return undefined
  return BigInt(numberText(value)).toString(base)
}

export function membersOf(value: Value): readonly Value[] {
  if (isArray(value)) return value
  return value instanceof RegoSet ? value.members() : []
}

function folded(of: (a: RegoNumber, b: RegoNumber) => RegoNumber | undefined, initial: number): Builtin {
  return builtin([ARRAY | SET], NUMBER, ([collection]: readonly [Value]) => {
    let result: RegoNumber | undefined = initial
    for (const each of membersOf(collection)) {
      if (!isNumber(each)) return undefined
      result = of(result, each)
      if (result === undefined) return undefined
    }
    return result
  })
}

export const NUMBERS: readonly (readonly [string, Builtin])[] = [
  ['plus', arithmetic(add)],
  ['minus', builtin([NUMBER | SET, NUMBER | SET], NUMBER | SET, ([a, b]: readonly [Value, Value]) => minus(a, b))],
  ['mul', arithmetic(multiply)],
  ['div', arithmetic(divide)],
  ['rem', arithmetic(remainder)],
  ['abs', builtin([NUMBER], NUMBER, ([a]: readonly [RegoNumber]) => (compareNumbers(a, 0) < 0 ? subtract(0, a) : a))],
  ['floor', rounding('floor')],
  ['ceil', rounding('ceil')],
  ['round', rounding('round')],
  ['sum', folded(add, 0)],
  ['product', folded(multiply, 1)],
  ['to_number', builtin([NUMBER | STRING | BOOLEAN | NULL], NUMBER, ([a]: readonly [Value]) => toNumber(a))],
  ['numbers.range', builtin([NUMBER, NUMBER], ARRAY, ([a, b]: Numbers, { spend }) => range(a, b, spend))],
  ['format_int', builtin([NUMBER, NUMBER], STRING, ([a, b]: Numbers) => formatted(a, b))],
]
