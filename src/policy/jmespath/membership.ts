/** The operators that ask whether something is among other things: `AnyIn`, `AllNotIn` and their kin. @module */
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import type { Budget } from './budget.js'
import { parseDuration } from './duration.js'
import { goText } from './json-values.js'
import { parseQuantity } from './quantity.js'
import { hasWildcard, matchesWildcard, wildcardMatcher } from './wildcard-match.js'

/** Whether a condition's key and value are as the operator says. Values of types that it does not know are not. */
export type Operator = (key: JsonValue, value: JsonValue, budget: Budget) => boolean

interface Rules {
  /** Of a list of keys. */
  readonly of: (keys: readonly string[], has: (key: string) => boolean) => boolean
  /** Asks for absence. */
  readonly absent: boolean
  /** The deprecated operators: lists are compared without wildcards, and there are no ranges. */
  readonly exact?: boolean
  /** A list may be compared with a number or a boolean. */
  readonly scalars?: boolean
  /** A key counts that can be told to be outside of a range, and not one that does not compare with it. */
  readonly outside?: boolean
}

/** The operators, as policies spell them. */
export const MEMBERSHIP: readonly (readonly [name: string, operator: Operator])[] = [
  ['AnyIn', membership({ of: (keys, has) => keys.some(has), absent: false, scalars: true })],
  ['AllIn', membership({ of: (keys, has) => keys.every(has), absent: false })],
  ['In', membership({ of: (keys, has) => keys.every(has), absent: false, exact: true })],
  ['AnyNotIn', membership({ of: (keys, has) => !keys.every(has), absent: true, scalars: true, outside: true })],
  ['AllNotIn', membership({ of: (keys, has) => !keys.some(has), absent: true })],
  ['NotIn', membership({ of: (keys, has) => !keys.every(has), absent: true, exact: true })],
]

function membership(rules: Rules): Operator {
  return (key, value, budget) => {
    if (key === null || isJsonObject(key)) return false
    if (Array.isArray(key)) return ofList(rules, key as readonly JsonValue[], { value, budget })
    const found = isFound(rules, goText(key, budget), { value, budget })
    return found !== undefined && found !== rules.absent
  }
}

interface Among {
  readonly value: JsonValue
  readonly budget: Budget
}

/** Whether one key is there. Undefined: the value is nothing that keys can be in. */
function isFound({ exact = false }: Rules, key: string, { value, budget }: Among): boolean | undefined {
  if (Array.isArray(value))
    return finder(
      (value as readonly JsonValue[]).map((each) => goText(each, budget)),
      budget,
    )(key)
  if (typeof value !== 'string') return undefined
  if (matchesWildcard(value, key, budget)) return true
  const range = exact ? undefined : rangeOf(value)
  if (range !== undefined) return isInside(key, range)
  return textsIn(value, exact)?.includes(key)
}

function ofList(rules: Rules, list: readonly JsonValue[], among: Among): boolean {
  const { value, budget } = among
  const { exact = false, absent, of } = rules
  if (exact && !areTexts(list)) return false
  const keys = list.map((each) => goText(each, budget))
  if (typeof value === 'string') {
    if (keys.length === 1 && keys[0] === value) return !absent
    const range = exact ? undefined : rangeOf(value)
    if (range !== undefined) return ofRange(rules, keys, range)
  }
  const members = membersOf(rules, among)
  if (members === undefined) return false
  const known = new Set(members)
  return of(keys, exact ? (key) => known.has(key) : finder(members, budget))
}

function ofRange({ of, outside = false }: Rules, keys: readonly string[], range: Range): boolean {
  return outside ? keys.some((key) => isOutside(key, range)) : of(keys, (key) => isInside(key, range))
}

/** A list, the JSON text of a list of texts, one text or, for some operators, one number or boolean. */
function membersOf({ exact = false, scalars = false }: Rules, { value, budget }: Among): readonly string[] | undefined {
  if (Array.isArray(value)) {
    const list = value as readonly JsonValue[]
    return exact && !areTexts(list) ? undefined : list.map((each) => goText(each, budget))
  }
  if (typeof value === 'number' || typeof value === 'boolean') return scalars ? [goText(value, budget)] : undefined
  return typeof value === 'string' ? textsIn(value, exact) : undefined
}

/** What is JSON must be a list of texts; what is none is a text itself, but not for the deprecated operators. */
function textsIn(text: string, exact: boolean): readonly string[] | undefined {
  let parsed
  try {
    parsed = parseJson(text)
  } catch {
    return exact ? undefined : [text]
  }
  if (parsed === null) return []
  return Array.isArray(parsed) && areTexts(parsed) ? (parsed as readonly string[]) : undefined
}

function areTexts(values: readonly JsonValue[]): boolean {
  return values.every((value) => typeof value === 'string')
}

/** Whether a key is one of these. Wildcards count on either side; what has none is only looked up. */
function finder(members: readonly string[], budget: Budget): (key: string) => boolean {
  const known = new Set(members)
  const matchers = members.filter(hasWildcard).map((member) => wildcardMatcher(member, budget))
  return (key) => {
    budget.characters(key.length)
    if (known.has(key) || matchers.some((matches) => matches(key))) return true
    return hasWildcard(key) && members.some(wildcardMatcher(key, budget))
  }
}

/** `1-5`, `10Mi-1Gi`, `1h-2h` */
interface Range {
  readonly text: string
  readonly low: string
  readonly high: string
}

const RANGE = /^([-+]?\d+(?:\.\d+)?[A-Za-z]*)-([-+]?\d+(?:\.\d+)?[A-Za-z]*)$/

function rangeOf(text: string): Range | undefined {
  const [, low, high] = (text.length > 200 ? null : RANGE.exec(text)) ?? []
  return low === undefined || high === undefined ? undefined : { text, low, high }
}

function isInside(key: string, { text, low, high }: Range): boolean {
  if (key === text) return true
  const [above, below] = [orderOf(key, low), orderOf(key, high)]
  return above !== undefined && below !== undefined && above >= 0 && below <= 0
}

function isOutside(key: string, { low, high }: Range): boolean {
  return (orderOf(key, low) ?? 0) < 0 || (orderOf(key, high) ?? 0) > 0
}

/** Durations first, then quantities. Undefined if they do not compare. */
function orderOf(a: string, b: string): number | undefined {
  const compared = compare(parseDuration(a), parseDuration(b))
  return compared ?? compare(parseQuantity(a)?.nanos, parseQuantity(b)?.nanos)
}

function compare(a: bigint | undefined, b: bigint | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined
  return a < b ? -1 : a > b ? 1 : 0
}
