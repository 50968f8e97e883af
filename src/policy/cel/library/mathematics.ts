/** The extension library of numbers. @module */
import { numberOf } from '../compare.js'
import { evaluationError } from '../cel-error.js'
import { free } from '../environment.js'
import type { Library, Overload } from '../environment.js'
import { bool, double, dyn, int, list, uint } from '../kind.js'
import type { Kind } from '../kind.js'
import { intOf, uintOf } from '../numbers.js'
import { Uint } from '../values.js'
import type { CelList, CelValue } from '../values.js'

const NUMBERS: readonly Kind<CelValue>[] = [double, int, uint]

/** `math.least` and `math.greatest`, as their macros name them. */
function extreme(name: 'least' | 'greatest'): readonly Overload[] {
  const first = (a: CelValue, b: CelValue): CelValue => {
    const [x, y] = [numberOf(a), numberOf(b)]
    if (x === undefined || y === undefined) throw evaluationError(`math.${name}() takes numbers`)
    return (name === 'least' ? y < x : y > x) ? b : a
  }
  const among = (values: CelList): CelValue => {
    const [start, ...others] = values
    if (start === undefined) throw evaluationError(`math.${name}(list) argument must not be empty`)
    return others.reduce(first, first(start, start))
  }
  return [
    ...NUMBERS.map((kind) => free([kind], kind, ([value]) => value)),
    ...NUMBERS.flatMap((a) => NUMBERS.map((b) => free([a, b], a === b ? a : dyn, ([x, y]) => first(x, y)))),
    ...NUMBERS.map((kind) =>
      free([list(kind)], kind, ([values], { budget }) => {
        budget.spend(values.length)
        return among(values)
      }),
    ),
  ]
}

const ofDouble = (compute: (value: number) => number): readonly Overload[] => [
  free([double], double, ([value]) => compute(value)),
]
const aboutDouble = (test: (value: number) => boolean): readonly Overload[] => [
  free([double], bool, ([value]) => test(value)),
]

/** Halves away from zero. */
function round(value: number): number {
  const whole = Math.trunc(value)
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole
}

const bits = (compute: (a: bigint, b: bigint) => bigint): readonly Overload[] => [
  free([int, int], int, ([a, b]) => BigInt.asIntN(64, compute(a, b))),
  free([uint, uint], uint, ([a, b]) => new Uint(BigInt.asUintN(64, compute(a.value, b.value)))),
]

/** Of the 64 bits as they are, without regard to a sign. */
function shift(name: string, compute: (value: bigint, by: bigint) => bigint): readonly Overload[] {
  const shifted = (value: bigint, by: bigint): bigint => {
    if (by < 0n) throw evaluationError(`${name}() negative offset: ${String(by)}`)
    return by > 63n ? 0n : compute(BigInt.asUintN(64, value), by)
  }
  return [
    free([int, int], int, ([value, by]) => BigInt.asIntN(64, shifted(value, by))),
    free([uint, int], uint, ([{ value }, by]) => new Uint(BigInt.asUintN(64, shifted(value, by)))),
  ]
}

export const MATHEMATICS: Library = {
  'math.@min': extreme('least'),
  'math.@max': extreme('greatest'),
  'math.ceil': ofDouble(Math.ceil),
  'math.floor': ofDouble(Math.floor),
  'math.round': ofDouble(round),
  'math.trunc': ofDouble(Math.trunc),
  'math.isInf': aboutDouble((value) => Math.abs(value) === Infinity),
  'math.isNaN': aboutDouble(Number.isNaN),
  'math.isFinite': aboutDouble(Number.isFinite),
  'math.abs': [
    ...ofDouble(Math.abs),
    free([int], int, ([value]) => intOf(value < 0n ? -value : value)),
    free([uint], uint, ([value]) => value),
  ],
  'math.sign': [
    ...ofDouble((value) => (value === 0 ? 0 : Math.sign(value))),
    free([int], int, ([value]) => (value < 0n ? -1n : value > 0n ? 1n : 0n)),
    free([uint], uint, ([{ value }]) => uintOf(value > 0n ? 1n : 0n)),
  ],
  'math.sqrt': [
    ...ofDouble(Math.sqrt),
    free([int], double, ([value]) => Math.sqrt(Number(value))),
    free([uint], double, ([{ value }]) => Math.sqrt(Number(value))),
  ],
  'math.bitAnd': bits((a, b) => a & b),
  'math.bitOr': bits((a, b) => a | b),
  'math.bitXor': bits((a, b) => a ^ b),
  'math.bitNot': [
    free([int], int, ([value]) => BigInt.asIntN(64, ~value)),
    free([uint], uint, ([{ value }]) => new Uint(BigInt.asUintN(64, ~value))),
  ],
  'math.bitShiftLeft': shift('math.bitShiftLeft', (value, by) => value << by),
  'math.bitShiftRight': shift('math.bitShiftRight', (value, by) => value >> by),
}
