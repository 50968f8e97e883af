/** The operators and conversions of CEL. @module */
import { encodeUtf8 } from '#encoding/utf8'
import { compareValues, equalValues, numberOf } from '../compare.js'
import { evaluationError, noSuchOverload } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library, Overload, World } from '../environment.js'
import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  list,
  map,
  optional,
  parameter,
  string,
  timestamp,
  typeValue,
  uint,
} from '../kind.js'
import type { Kind } from '../kind.js'
import {
  formatDouble,
  intOf,
  intOfDouble,
  nonZero,
  parseBool,
  parseDouble,
  parseInt64,
  parseUint64,
  remainder,
  uintOf,
  uintOfDouble,
} from '../numbers.js'
import { textOf } from '../texts.js'
import { durationOf, formatDuration, formatTimestamp, parseDuration, parseTimestamp, timestampOf } from '../times.js'
import { CelMap, isList, NONE, Optional, PENDING, TypeValue, typeNameOf } from '../values.js'
import type { CelList, CelValue, Outcome } from '../values.js'

const A = parameter('A')
const B = parameter('B')
const listOfA = list(A)
const mapOfAB = map(A, B)

/** A list's index; of what is dynamic, any number that is whole. */
const index: Kind<CelValue> = {
  type: int.type,
  accepts: (value): value is CelValue => {
    const number = numberOf(value)
    return typeof number === 'bigint' || (number !== undefined && Number.isInteger(number))
  },
}

const ADDITION: readonly Overload[] = [
  free([bytes, bytes], bytes, ([a, b], { budget }) => {
    budget.make(a.length + b.length)
    return Uint8Array.from([...a, ...b])
  }),
  free([double, double], double, ([a, b]) => a + b),
  free([duration, duration], duration, ([a, b]) => durationOf(a.nanos + b.nanos)),
  free([duration, timestamp], timestamp, ([a, b]) => timestampOf(a.nanos + b.nanos)),
  free([timestamp, duration], timestamp, ([a, b]) => timestampOf(a.nanos + b.nanos)),
  free([int, int], int, ([a, b]) => intOf(a + b)),
  free([listOfA, listOfA], listOfA, ([a, b], { budget }) => {
    budget.elements(a.length + b.length)
    return [...a, ...b]
  }),
  free([string, string], string, ([a, b], { budget }) => {
    budget.make(a.length + b.length)
    return a + b
  }),
  free([uint, uint], uint, ([a, b]) => uintOf(a.value + b.value)),
]

const SUBTRACTION: readonly Overload[] = [
  free([double, double], double, ([a, b]) => a - b),
  free([duration, duration], duration, ([a, b]) => durationOf(a.nanos - b.nanos)),
  free([int, int], int, ([a, b]) => intOf(a - b)),
  free([timestamp, duration], timestamp, ([a, b]) => timestampOf(a.nanos - b.nanos)),
  free([timestamp, timestamp], duration, ([a, b]) => durationOf(a.nanos - b.nanos)),
  free([uint, uint], uint, ([a, b]) => uintOf(a.value - b.value)),
]

type Order = (order: number) => boolean

/** Everything that has an order, and numbers of all kinds with each other. */
function comparison(holds: Order): readonly Overload[] {
  const compare = ([a, b]: readonly [CelValue, CelValue], { budget }: World): boolean => {
    const order = compareValues(a, b, budget)
    return order !== undefined && holds(order)
  }
  const same = [bool, string, bytes, timestamp, duration] as const
  const numbers = [int, uint, double] as const
  return [
    ...same.map((kind: Kind<CelValue>) => free([kind, kind], bool, compare)),
    ...numbers.flatMap((a: Kind<CelValue>) => numbers.map((b: Kind<CelValue>) => free([a, b], bool, compare))),
  ]
}

function sizeOf(value: CelValue, { budget }: World): bigint {
  if (typeof value === 'string') {
    budget.points(value.length)
    return BigInt([...value].length)
  }
  if (value instanceof Uint8Array || isList(value)) return BigInt(value.length)
  if (value instanceof CelMap) return BigInt(value.size)
  throw noSuchOverload('size', [typeNameOf(value)])
}

function elementAt(elements: CelList, key: CelValue): CelValue {
  const found = elementOrNone(elements, key)
  if (found === undefined) throw evaluationError(`index out of bounds: ${String(numberOf(key))}`)
  return found
}

function elementOrNone(elements: CelList, key: CelValue): CelValue | undefined {
  const at = Number(numberOf(key))
  return at >= 0 ? elements[at] : undefined
}

function valueAt(entries: CelMap, key: CelValue): Outcome {
  const found = entries.get(key)
  if (found === undefined) throw evaluationError(`no such key: ${keyText(key)}`)
  return found
}

function keyText(key: CelValue): string {
  const number = numberOf(key)
  if (number !== undefined) return String(number)
  return typeof key === 'string' || typeof key === 'boolean' ? String(key) : typeNameOf(key)
}

function asOptional(value: Outcome | undefined): Outcome {
  if (value === PENDING) return PENDING
  return value === undefined ? NONE : new Optional(value)
}

function elementWithin({ value }: Optional, key: CelValue): Outcome {
  return value !== undefined && isList(value) ? asOptional(elementOrNone(value, key)) : NONE
}

function valueWithin({ value }: Optional, key: CelValue): Outcome {
  return value instanceof CelMap ? asOptional(value.get(key)) : NONE
}

const optionalList = optional(listOfA)
const optionalMap = optional(mapOfAB)
const optionalA = optional(A)
const optionalB = optional(B)

const OPERATORS: Library = {
  '!_': [free([bool], bool, ([a]) => !a)],
  '-_': [free([double], double, ([a]) => -a), free([int], int, ([a]) => intOf(-a))],
  '_==_': [free([A, A], bool, ([a, b], { budget }) => equalValues(a, b, budget))],
  '_!=_': [free([A, A], bool, ([a, b], { budget }) => !equalValues(a, b, budget))],
  '_+_': ADDITION,
  '_-_': SUBTRACTION,
  '_*_': [
    free([double, double], double, ([a, b]) => a * b),
    free([int, int], int, ([a, b]) => intOf(a * b)),
    free([uint, uint], uint, ([a, b]) => uintOf(a.value * b.value)),
  ],
  '_/_': [
    free([double, double], double, ([a, b]) => a / b),
    free([int, int], int, ([a, b]) => intOf(a / nonZero(b, 'division'))),
    free([uint, uint], uint, ([a, b]) => uintOf(a.value / nonZero(b.value, 'division'))),
  ],
  '_%_': [
    free([int, int], int, ([a, b]) => remainder(a, b)),
    free([uint, uint], uint, ([a, b]) => uintOf(a.value % nonZero(b.value, 'modulus'))),
  ],
  '_<_': comparison((order) => order < 0),
  '_<=_': comparison((order) => order <= 0),
  '_>_': comparison((order) => order > 0),
  '_>=_': comparison((order) => order >= 0),
  '@in': [
    free([A, listOfA], bool, ([a, elements], { budget }) => elements.some((each) => equalValues(a, each, budget))),
    free([A, mapOfAB], bool, ([a, entries]) => entries.has(a)),
  ],
  '_[_]': [
    free([listOfA, index], A, ([elements, at]) => elementAt(elements, at)),
    free([mapOfAB, A], B, ([entries, key]) => valueAt(entries, key)),
    free([optionalList, index], optionalA, ([of, at]) => elementWithin(of, at)),
    free([optionalMap, A], optionalB, ([of, key]) => valueWithin(of, key)),
  ],
  '_[?_]': [
    free([listOfA, index], optionalA, ([elements, at]) => asOptional(elementOrNone(elements, at))),
    free([optionalList, index], optionalA, ([of, at]) => elementWithin(of, at)),
    free([mapOfAB, A], optionalB, ([entries, key]) => asOptional(entries.get(key))),
    free([optionalMap, A], optionalB, ([of, key]) => valueWithin(of, key)),
  ],
}

const sized = [bytes, listOfA, mapOfAB, string].flatMap((kind: Kind<CelValue>) => [
  free([kind], int, ([value], world) => sizeOf(value, world)),
  member([kind], int, ([value], world) => sizeOf(value, world)),
])

const CONVERSIONS: Library = {
  size: sized,
  type: [free([A], typeValue, ([value]) => new TypeValue(typeNameOf(value)))],
  dyn: [free([A], dyn, ([value]) => value)],
  bool: [free([bool], bool, ([value]) => value), free([string], bool, ([text]) => parseBool(text))],
  bytes: [
    free([bytes], bytes, ([value]) => value),
    free([string], bytes, ([text], { budget }) => {
      budget.make(text.length)
      return encodeUtf8(text)
    }),
  ],
  double: [
    free([double], double, ([value]) => value),
    free([int], double, ([value]) => Number(value)),
    free([string], double, ([text]) => parseDouble(text)),
    free([uint], double, ([{ value }]) => Number(value)),
  ],
  duration: [free([duration], duration, ([value]) => value), free([string], duration, ([text]) => parseDuration(text))],
  int: [
    free([int], int, ([value]) => value),
    free([double], int, ([value]) => intOfDouble(value)),
    free([duration], int, ([{ nanos }]) => nanos),
    free([string], int, ([text]) => parseInt64(text)),
    free([timestamp], int, ([{ nanos }]) => floorSeconds(nanos)),
    free([uint], int, ([{ value }]) => intOf(value)),
  ],
  string: [
    free([string], string, ([value]) => value),
    free([bool], string, ([value]) => String(value)),
    free([bytes], string, ([value], { budget }) => textOf(value, budget)),
    free([double], string, ([value]) => formatDouble(value)),
    free([duration], string, ([value]) => formatDuration(value)),
    free([int], string, ([value]) => String(value)),
    free([timestamp], string, ([value]) => formatTimestamp(value)),
    free([uint], string, ([{ value }]) => String(value)),
  ],
  timestamp: [
    free([timestamp], timestamp, ([value]) => value),
    free([int], timestamp, ([seconds]) => timestampOf(seconds * 1_000_000_000n)),
    free([string], timestamp, ([text]) => parseTimestamp(text)),
  ],
  uint: [
    free([uint], uint, ([value]) => value),
    free([double], uint, ([value]) => uintOfDouble(value)),
    free([int], uint, ([value]) => uintOf(value)),
    free([string], uint, ([text]) => parseUint64(text)),
  ],
}

function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / 1_000_000_000n
  return seconds * 1_000_000_000n > nanos ? seconds - 1n : seconds
}

const TEXTS: Library = {
  contains: [
    member([string, string], bool, ([text, part], { budget }) => {
      budget.read(text.length)
      return text.includes(part)
    }),
  ],
  startsWith: [member([string, string], bool, ([text, part]) => text.startsWith(part))],
  endsWith: [member([string, string], bool, ([text, part]) => text.endsWith(part))],
  matches: [free([string, string], bool, matches), member([string, string], bool, matches)],
}

/** As everywhere in CEL, a part of the text suffices. */
function matches([text, pattern]: readonly [string, string], world: World): boolean {
  const compiled = world.pattern(pattern)
  world.budget.match(text.length, compiled.size)
  return compiled.occursIn(text)
}

export const STANDARD: readonly Library[] = [OPERATORS, CONVERSIONS, TEXTS]
