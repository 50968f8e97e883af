/** Text. Positions count code points. @module */
import type { Value } from '../value.js'
import { isArray } from '../value.js'
import { ARRAY, BOOLEAN, builtin, type Builtin, NUMBER, SET, STRING, type Surroundings } from './builtin.js'
import { membersOf } from './numbers.js'
import { pointsOf } from './points.js'
import { checkFormat, formatted } from './sprintf.js'

type Text = readonly [string]
type Texts = readonly [string, string]

/** Characters that are compared in a step. Looking for a text in another can take as many as their lengths multiplied. */
const COMPARED_A_STEP = 512

function paySearch(text: string, part: string, { spend }: Surroundings): void {
  spend((text.length * part.length) / COMPARED_A_STEP)
}

function contains(text: string, part: string, around: Surroundings): boolean {
  paySearch(text, part, around)
  return text.includes(part)
}

function predicate(of: (a: string, b: string) => boolean): Builtin {
  return builtin([STRING, STRING], BOOLEAN, ([a, b]: Texts) => of(a, b))
}

function change(of: (a: string, b: string, around: Surroundings) => string): Builtin {
  return builtin([STRING, STRING], STRING, ([a, b]: Texts, around) => of(a, b, around))
}

function concat(separator: string, of: Value, { spend }: Surroundings): Value | undefined {
  const parts = membersOf(of).filter((each) => typeof each === 'string')
  if (parts.length < membersOf(of).length) return undefined
  spend((separator.length * parts.length) / 16)
  return parts.join(separator)
}

function parts(text: string, separator: string, around: Surroundings): readonly string[] {
  if (separator === '') return pointsOf(text, around)
  paySearch(text, separator, around)
  const found = text.split(separator)
  around.spend(found.length)
  return found
}

function replace(text: string, [from, to]: Texts, around: Surroundings): string {
  const found = parts(text, from, around)
  around.spend((found.length * to.length) / 16)
  return from === '' ? `${to}${found.map((each) => each + to).join('')}` : found.join(to)
}

interface Ends {
  readonly left: boolean
  readonly right: boolean
}

function trimmed(text: string, cut: string, ends: Ends & Surroundings): string {
  const set = new Set(pointsOf(cut, ends))
  const points = pointsOf(text, ends)
  let start = 0
  let end = points.length
  while (ends.left && start < end && set.has(points[start] ?? '')) start++
  while (ends.right && end > start && set.has(points[end - 1] ?? '')) end--
  return points.slice(start, end).join('')
}

function substring(text: string, [offset, length]: readonly [Value, Value], around: Surroundings): Value | undefined {
  if (typeof offset !== 'number' || typeof length !== 'number' || offset < 0) return undefined
  if (!Number.isInteger(offset) || !Number.isInteger(length)) return undefined
  const points = pointsOf(text, around)
  return points.slice(offset, length < 0 ? undefined : offset + length).join('')
}

function indexOf(text: string, part: string, around: Surroundings): Value | undefined {
  if (part === '') return undefined
  paySearch(text, part, around)
  const at = text.indexOf(part)
  return at === -1 ? -1 : pointsOf(text.slice(0, at), around).length
}

/** The white space that Go trims. */
const SPACE =
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'

/** Only for ASCII do both worlds agree on the other case of every letter. */
function cased(of: (text: string, around: Surroundings) => string): Builtin {
  return builtin([STRING], STRING, ([text]: Text, around) => of(text, around))
}

function upper(text: string, around: Surroundings): string {
  return pointsOf(text, around)
    .map((each) => (each.toUpperCase().length > each.length ? each : each.toUpperCase()))
    .join('')
}

function lower(text: string, around: Surroundings): string {
  return pointsOf(text, around)
    .map((each) => (each.toLowerCase().length > each.length ? each : each.toLowerCase()))
    .join('')
}

export const STRINGS: readonly (readonly [string, Builtin])[] = [
  ['contains', builtin([STRING, STRING], BOOLEAN, ([a, b]: Texts, around) => contains(a, b, around))],
  ['startswith', predicate((a, b) => a.startsWith(b))],
  ['endswith', predicate((a, b) => a.endsWith(b))],
  ['lower', cased(lower)],
  ['upper', cased(upper)],
  ['trim', change((a, b, around) => trimmed(a, b, { left: true, right: true, ...around }))],
  ['trim_left', change((a, b, around) => trimmed(a, b, { left: true, right: false, ...around }))],
  ['trim_right', change((a, b, around) => trimmed(a, b, { left: false, right: true, ...around }))],
  ['trim_prefix', change((a, b) => (a.startsWith(b) ? a.slice(b.length) : a))],
  ['trim_suffix', change((a, b) => (a.endsWith(b) ? a.slice(0, a.length - b.length) : a))],
  ['trim_space', cased((text, around) => trimmed(text, SPACE, { left: true, right: true, ...around }))],
  ['strings.reverse', cased((text, around) => [...pointsOf(text, around)].reverse().join(''))],
  [
    'concat',
    builtin([STRING, ARRAY | SET], STRING, ([a, b]: readonly [string, Value], around) => concat(a, b, around)),
  ],
  ['split', builtin([STRING, STRING], ARRAY, ([a, b]: Texts, around) => parts(a, b, around))],
  [
    'replace',
    builtin([STRING, STRING, STRING], STRING, ([a, b, c]: readonly [string, string, string], around) =>
      replace(a, [b, c], around),
    ),
  ],
  [
    'substring',
    builtin([STRING, NUMBER, NUMBER], STRING, ([a, b, c]: readonly [string, Value, Value], around) =>
      substring(a, [b, c], around),
    ),
  ],
  ['indexof', builtin([STRING, STRING], NUMBER, ([a, b]: Texts, around) => indexOf(a, b, around))],
  [
    'sprintf',
    {
      ...builtin([STRING, ARRAY], STRING, ([format, args]: readonly [string, readonly Value[]]) =>
        isArray(args) ? formatted(format, args) : undefined,
      ),
      check: ([format]: readonly (Value | undefined)[], line: number): void => {
        if (typeof format === 'string') checkFormat(format, line)
      },
    },
  ],
]
