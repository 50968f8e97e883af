/** Values that may be missing. @module */
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library } from '../environment.js'
import { bool, list, optional, parameter } from '../kind.js'
import { CelMap, Duration, isList, NONE, Optional, Timestamp, Uint } from '../values.js'
import type { CelList, CelValue } from '../values.js'

const V = parameter('V')
const optionalV = optional(V)
const listOfV = list(V)
const listOfOptionals = list(optionalV)

/** Nothing, false, zero, and what is empty. */
function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Duration) return value.nanos === 0n
  // The zero of a timestamp is the first moment of the year 1.
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800n * 1_000_000_000n
  if (value instanceof Uint8Array || isList(value)) return value.length === 0
  return value instanceof CelMap && value.size === 0
}

function present(values: CelList): CelList {
  return values.flatMap((each) => {
    if (!(each instanceof Optional)) throw evaluationError('a value in the list is not optional')
    return each.value === undefined ? [] : [each.value]
  })
}

export const OPTIONALS: Library = {
  'optional.of': [free([V], optionalV, ([value]) => new Optional(value))],
  'optional.ofNonZeroValue': [free([V], optionalV, ([value]) => (isZero(value) ? NONE : new Optional(value)))],
  'optional.none': [free([], optionalV, () => NONE)],
  value: [
    member([optionalV], V, ([{ value }]) => {
      if (value === undefined) throw evaluationError('optional.none() dereference')
      return value
    }),
  ],
  hasValue: [member([optionalV], bool, ([{ value }]) => value !== undefined)],
  // The evaluator looks at the second one only where the first is empty; these are their types.
  or: [member([optionalV, optionalV], optionalV, ([a, b]) => (a.value === undefined ? b : a))],
  orValue: [member([optionalV, V], V, ([{ value }, other]) => value ?? other)],
  first: [member([listOfV], optionalV, ([values]) => (values.length === 0 ? NONE : new Optional(values[0])))],
  last: [member([listOfV], optionalV, ([values]) => (values.length === 0 ? NONE : new Optional(values.at(-1))))],
  'optional.unwrap': [free([listOfOptionals], listOfV, ([values]) => present(values))],
  unwrapOpt: [member([listOfOptionals], listOfV, ([values]) => present(values))],
}
