/** The operators of Kyverno's conditions, with its rules for what compares with what. @module */
import type { JsonValue } from '#encoding/json'
import type { Budget } from './budget.js'
import { inSeconds, parseDuration } from './duration.js'
import { equalValues } from './json-values.js'
import { MEMBERSHIP } from './membership.js'
import type { Operator } from './membership.js'
import { parseQuantity } from './quantity.js'
import { compareVersions, parseVersion } from './semver.js'
import { matchesWildcard } from './wildcard-match.js'

type Order = (order: number) => boolean

const GREATER: Order = (order) => order > 0
const AT_LEAST: Order = (order) => order >= 0
const LESS: Order = (order) => order < 0
const AT_MOST: Order = (order) => order <= 0

/** Every operator, as policies spell it. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['Equals', equals],
  ['Equal', equals],
  ['NotEquals', differs],
  ['NotEqual', differs],
  ...MEMBERSHIP,
  ['GreaterThan', ordered(GREATER)],
  ['GreaterThanOrEquals', ordered(AT_LEAST)],
  ['LessThan', ordered(LESS)],
  ['LessThanOrEquals', ordered(AT_MOST)],
  ['DurationGreaterThan', durations(GREATER)],
  ['DurationGreaterThanOrEquals', durations(AT_LEAST)],
  ['DurationLessThan', durations(LESS)],
  ['DurationLessThanOrEquals', durations(AT_MOST)],
])

function equals(key: JsonValue, value: JsonValue, budget: Budget): boolean {
  if (typeof key === 'string') return equalTexts(key, value, budget)
  if (typeof key === 'number' && typeof value === 'string') return numberOf(value) === key
  return key !== null && equalValues(key, value, budget)
}

/** Kyverno has no answer for a key that is nothing: it neither equals nor differs. */
function differs(key: JsonValue, value: JsonValue, budget: Budget): boolean {
  return key !== null && !equals(key, value, budget)
}

function equalTexts(key: string, value: JsonValue, budget: Budget): boolean {
  const times = durationPair(key, value)
  if (times !== undefined) return times[0] === times[1]
  if (typeof value !== 'string') return false
  const quantity = parseQuantity(key)
  if (quantity === undefined) return matchesWildcard(value, key, budget)
  return parseQuantity(value)?.nanos === quantity.nanos
}

/** Both in seconds, if one of them is the text of a duration and the other is such a text or a number of seconds. */
function durationPair(key: JsonValue, value: JsonValue): readonly [number, number] | undefined {
  const [a, b] = [durationText(key), durationText(value)]
  if (a === undefined && b === undefined) return undefined
  const first = a ?? (typeof key === 'number' ? Math.trunc(key) : undefined)
  const second = b ?? (typeof value === 'number' ? Math.trunc(value) : undefined)
  return first === undefined || second === undefined ? undefined : [first, second]
}

function durationText(value: JsonValue): number | undefined {
  if (typeof value !== 'string' || value === '0') return undefined
  const duration = parseDuration(value)
  return duration === undefined ? undefined : inSeconds(duration)
}

function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

function ordered(holds: Order): Operator {
  return (key, value) => {
    const order = orderOf(key, value)
    return order !== undefined && holds(order)
  }
}

/** Durations first, then quantities, numbers and versions. Undefined if they do not compare. */
function orderOf(key: JsonValue, value: JsonValue): number | undefined {
  const times = durationPair(key, value)
  if (times !== undefined) return times[0] - times[1]
  if (typeof key === 'string' && typeof value === 'string') {
    const [a, b] = [parseQuantity(key), parseQuantity(value)]
    if (a !== undefined && b !== undefined) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  }
  const number = typeof key === 'string' ? numberOf(key) : key
  if (typeof number === 'number') {
    const seconds = typeof key === 'string' ? durationPair(number, value) : undefined
    if (seconds !== undefined) return seconds[0] - seconds[1]
    const other = typeof value === 'string' ? numberOf(value) : value
    return typeof other === 'number' ? number - other : undefined
  }
  if (typeof key !== 'string' || typeof value !== 'string') return undefined
  const [a, b] = [parseVersion(key), parseVersion(value)]
  return a === undefined || b === undefined ? undefined : compareVersions(a, b)
}

function durations(holds: Order): Operator {
  return (key, value) => {
    const [a, b] = [secondsOf(key), secondsOf(value)]
    return a !== undefined && b !== undefined && holds(a - b)
  }
}

function secondsOf(value: JsonValue): number | undefined {
  if (typeof value === 'number') return Math.trunc(value)
  const duration = typeof value === 'string' ? parseDuration(value) : undefined
  return duration === undefined ? undefined : inSeconds(duration)
}
