/** The builtins of CUE that policies use, in one table. @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { Scalar } from './ast.js'
import type { Budget } from './budget.js'
import { CueError } from './cue-error.js'
import {
  ANY_KIND,
  KIND,
  NUMBER,
  amount,
  compareWith,
  equalAmount,
  isFloat,
  isNumber,
  kindNames,
  sameScalar,
  showScalar,
} from './scalar.js'
import { parseGoTime, RFC3339_LAYOUTS } from './time-layouts.js'
import type { Check, Subject } from './vertex.js'

/** What a builtin is: a constant, a calculation on known values, or a condition on the value that it stands beside. */
export type Builtin =
  | { readonly kind: 'constant'; readonly value: Scalar }
  | {
      readonly kind: 'function'
      readonly parameters: number
      call(args: readonly Subject[], budget: Budget): Scalar | readonly Scalar[] | undefined
    }
  /** The evaluator knows these itself: they are about places, not values. */
  | { readonly kind: 'special'; readonly parameters: number }

const TYPES: ReadonlyMap<string, number> = new Map([
  ['string', KIND.string],
  ['bool', KIND.bool],
  ['int', KIND.int],
  ['float', KIND.float],
  ['number', NUMBER],
])

const RANGES: ReadonlyMap<string, readonly [bigint, bigint | undefined]> = new Map<
  string,
  readonly [bigint, bigint | undefined]
>([
  ['uint', [0n, undefined]],
  ...[8n, 16n, 32n, 64n, 128n].flatMap((bits): [string, readonly [bigint, bigint]][] => [
    [`uint${String(bits)}`, [0n, 2n ** bits - 1n]],
    [`int${String(bits)}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]],
  ]),
])

/** Whether a name is one of the predeclared types. */
export function isTypeName(name: string): boolean {
  return TYPES.has(name) || RANGES.has(name)
}

/** The kinds and conditions of a predeclared type. */
export function typeOf(name: string): { readonly kinds: number; readonly checks: readonly Check[] } {
  const range = RANGES.get(name)
  if (range === undefined) return { kinds: TYPES.get(name) ?? 0, checks: [] }
  const [low, high] = range
  const checks = [rangeCheck('>=', low), ...(high === undefined ? [] : [rangeCheck('<=', high)])]
  return { kinds: KIND.int, checks }
}

function rangeCheck(operator: '>=' | '<=', limit: bigint): Check {
  return {
    text: `${operator}${String(limit)}`,
    kinds: NUMBER,
    range: { operator, limit: Number(limit) },
    judge: ({ scalar }) =>
      typeof scalar !== 'bigint' ? 'later' : operator === '>=' ? scalar >= limit : scalar <= limit,
  }
}

const FUNCTIONS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['len', { kind: 'function', parameters: 1, call: ([value], budget) => lengthOf(value, budget) }],
  ['close', { kind: 'special', parameters: 1 }],
  ['and', { kind: 'special', parameters: 1 }],
  ['or', { kind: 'special', parameters: 1 }],
  ['error', { kind: 'special', parameters: 1 }],
  ...RFC3339_LAYOUTS.map(([name, layout]): [string, Builtin] => [`time.${name}`, { kind: 'constant', value: layout }]),
  ['time.Parse', twoTexts(parseGoTime)],
  ['time.Time', predicate(1, (args, budget) => onTexts([...args, ...args], budget, isRfc3339))],
  ['struct.MinFields', predicate(2, ([value, limit]) => sized(value, limit, (size, bound) => size >= bound))],
  ['struct.MaxFields', predicate(2, ([value, limit]) => sized(value, limit, (size, bound) => size <= bound))],
  ['list.MinItems', predicate(2, ([value, limit]) => sized(value, limit, (size, bound) => size >= bound))],
  ['list.MaxItems', predicate(2, ([value, limit]) => sized(value, limit, (size, bound) => size <= bound))],
  ['list.UniqueItems', predicate(1, ([value]) => (value?.items === undefined ? undefined : areUnique(value.items)))],
  ['list.Contains', predicate(2, ([value, item]) => contains(value, item))],
  ['strings.Contains', predicate(2, texts(includes))],
  [
    'strings.HasPrefix',
    predicate(
      2,
      texts((text, part) => text.startsWith(part)),
    ),
  ],
  [
    'strings.HasSuffix',
    predicate(
      2,
      texts((text, part) => text.endsWith(part)),
    ),
  ],
  ['strings.MinRunes', predicate(2, (args, budget) => runes(args, budget, (size, bound) => size >= bound))],
  ['strings.MaxRunes', predicate(2, (args, budget) => runes(args, budget, (size, bound) => size <= bound))],
  ['strings.ToLower', oneText((text) => text.toLowerCase())],
  ['strings.ToUpper', oneText((text) => text.toUpperCase())],
  ['strings.TrimSpace', oneText((text) => text.trim())],
  ['strings.TrimPrefix', twoTexts((text, part) => (text.startsWith(part) ? text.slice(part.length) : text))],
  [
    'strings.TrimSuffix',
    twoTexts((text, part) => (part !== '' && text.endsWith(part) ? text.slice(0, -part.length) : text)),
  ],
  [
    'strings.Split',
    {
      kind: 'function',
      parameters: 2,
      call: (args, budget) => onTexts(args, budget, split),
    },
  ],
  ['strings.Join', { kind: 'function', parameters: 2, call: ([list, by], budget) => joined(list, textOf(by), budget) }],
  [
    'regexp.Match',
    predicate(
      2,
      texts((pattern, text, budget) => budget.occurs(pattern, text)),
    ),
  ],
])

/** Conditions that more fields or items can make true. */
const GROWS_TO_TRUE = new Set(['struct.MinFields', 'list.MinItems', 'list.Contains'])

/** Builtins that judge, so that with one argument less they become a condition on the value beside them. */
const PREDICATES = new Set(
  [...FUNCTIONS.keys()].filter(
    (name) => /(?:Fields|Items|Contains|Prefix|Suffix|Runes|Match|time\.Time)$/.test(name) && !/Trim/.test(name),
  ),
)

export function isBuiltin(name: string): boolean {
  return FUNCTIONS.has(name)
}

export function builtinNamed(name: string): Builtin | undefined {
  return FUNCTIONS.get(name)
}

/** The condition that a judging builtin becomes when the value that it judges is left out. */
export function builtinCheck(name: string, args: readonly Subject[]): Check | undefined {
  const builtin = FUNCTIONS.get(name)
  if (builtin?.kind !== 'function' || !PREDICATES.has(name) || args.length !== builtin.parameters - 1) return undefined
  const shown = args.map(({ scalar }) => (scalar === undefined ? '…' : showScalar(scalar))).join(', ')
  return {
    text: args.length === 0 ? name : `${name}(${shown})`,
    kinds: subjectKinds(name),
    judge(subject, budget) {
      const result = builtin.call(name === 'regexp.Match' ? [...args, subject] : [subject, ...args], budget)
      // More can still come to an open struct or list, so too little in it is no verdict (and CUE gives none).
      if (result === false && subject.growing && GROWS_TO_TRUE.has(name)) return 'later'
      return result === undefined ? 'later' : result === true
    },
  }
}

function subjectKinds(name: string): number {
  if (name.startsWith('struct.')) return KIND.struct
  return name.startsWith('list.') ? KIND.list : KIND.string
}

/** The text of an argument; undefined if it is not known yet. @throws {@link CueError} CUE_REJECTED if it is no text */
function textOf(subject: Subject | undefined): string | undefined {
  needKind(subject, KIND.string)
  return typeof subject?.scalar === 'string' ? subject.scalar : undefined
}

function needKind(subject: Subject | undefined, kinds: number): void {
  if (subject === undefined || (subject.kinds & kinds) !== 0) return
  throw new CueError('CUE_REJECTED', 'an argument of another kind', {
    expected: kindNames(kinds),
    found: kindNames(subject.kinds),
  })
}

function predicate(
  parameters: number,
  call: (args: readonly Subject[], budget: Budget) => boolean | undefined,
): Builtin {
  return { kind: 'function', parameters, call }
}

function texts(judge: OfTexts<boolean>): (args: readonly Subject[], budget: Budget) => boolean | undefined {
  return (args, budget) => onTexts(args, budget, judge)
}

type OfTexts<T> = (a: string, b: string, budget: Budget) => T

function onTexts<T>([first, second]: readonly Subject[], budget: Budget, make: OfTexts<T>): T | undefined {
  const [a, b] = [textOf(first), textOf(second)]
  budget.read(a, b)
  return a === undefined || b === undefined ? undefined : make(a, b, budget)
}

function oneText(change: (text: string) => string): Builtin {
  return { kind: 'function', parameters: 1, call: (args, budget) => onTexts([...args, ...args], budget, change) }
}

function twoTexts(change: OfTexts<string>): Builtin {
  return { kind: 'function', parameters: 2, call: (args, budget) => onTexts(args, budget, change) }
}

function lengthOf(value: Subject | undefined, budget: Budget): Scalar | undefined {
  needKind(value, KIND.string | KIND.struct | KIND.list)
  budget.read(value?.scalar)
  if (typeof value?.scalar === 'string') return BigInt(encodeUtf8(value.scalar).length)
  return value !== undefined && (value.kinds === KIND.struct || value.kinds === KIND.list)
    ? BigInt(value.size)
    : undefined
}

function sized(
  value: Subject | undefined,
  limit: Subject | undefined,
  holds: (size: number, bound: number) => boolean,
): boolean | undefined {
  if (value === undefined || typeof limit?.scalar !== 'bigint') return undefined
  return (value.kinds & ~(KIND.struct | KIND.list)) === 0 ? holds(value.size, Number(limit.scalar)) : undefined
}

function runes(
  [value, limit]: readonly Subject[],
  budget: Budget,
  holds: (size: number, bound: number) => boolean,
): boolean | undefined {
  const text = textOf(value)
  budget.spend((text?.length ?? 0) / 16)
  return text !== undefined && typeof limit?.scalar === 'bigint'
    ? holds([...text].length, Number(limit.scalar))
    : undefined
}

function contains(list: Subject | undefined, item: Subject | undefined): boolean | undefined {
  needKind(list, KIND.list)
  const wanted = item?.scalar
  return wanted === undefined ? undefined : list?.items?.some((each) => sameScalar(each, wanted))
}

function joined(list: Subject | undefined, by: string | undefined, budget: Budget): string | undefined {
  needKind(list, KIND.list)
  const items = list?.items
  if (by === undefined || items?.every((item) => typeof item === 'string') !== true) return undefined
  budget.make(items.reduce((sum, item) => sum + item.length + by.length, 0))
  return items.join(by)
}

/** Characters that are compared in a step. Looking for a text in another can take as many as their lengths multiplied. */
const COMPARED_A_STEP = 2048

function includes(text: string, part: string, budget: Budget): boolean {
  budget.spend((text.length * part.length) / COMPARED_A_STEP)
  return text.includes(part)
}

function split(text: string, by: string, budget: Budget): readonly string[] {
  budget.spend((text.length * by.length) / COMPARED_A_STEP)
  const parts = text.split(by)
  budget.spend(parts.length)
  return parts
}

/** Whether no two are the same. */
function areUnique(items: readonly Scalar[]): boolean {
  return (
    new Set(
      items.map((item) => (isFloat(item) ? `${typeof item}${String(item.float)}` : `${typeof item}${String(item)}`)),
    ).size === items.length
  )
}

function isRfc3339(text: string): boolean {
  try {
    parseGoTime(RFC3339_LAYOUTS[0]?.[1] ?? '', text)
    return true
  } catch {
    return false
  }
}

/** A bound such as `<5` or `=~"^x"` as a condition. undefined if the limit is of a kind that has no order. */
export function boundCheck(operator: string, limit: Scalar): Check | undefined {
  const text = `${operator}${showScalar(limit)}`
  if (operator === '=~' || operator === '!~')
    return typeof limit === 'string' ? matchCheck(text, operator, limit) : undefined
  if (operator === '!=') {
    const kinds =
      limit === null
        ? ANY_KIND & ~KIND.null
        : isNumber(limit)
          ? NUMBER
          : typeof limit === 'string'
            ? KIND.string
            : KIND.bool
    return {
      text,
      kinds,
      judge: ({ scalar }) => (scalar === undefined ? limit === null || 'later' : !equalAmount(scalar, limit)),
    }
  }
  return orderCheck(text, operator as '<' | '<=' | '>' | '>=', limit)
}

function matchCheck(text: string, operator: '=~' | '!~', source: string): Check {
  return {
    text,
    kinds: KIND.string,
    judge: ({ scalar }, budget) =>
      typeof scalar === 'string' ? budget.occurs(source, scalar) === (operator === '=~') : 'later',
  }
}

function orderCheck(text: string, operator: '<' | '<=' | '>' | '>=', limit: Scalar): Check | undefined {
  if (!isNumber(limit) && typeof limit !== 'string') return undefined
  const judge: Check['judge'] = ({ scalar }) => (scalar === undefined ? 'later' : compareWith(operator, scalar, limit))
  const numeric = isNumber(limit)
  return {
    text,
    kinds: numeric ? NUMBER : KIND.string,
    judge,
    ...(numeric ? { range: { operator, limit: amount(limit) } } : {}),
  }
}
