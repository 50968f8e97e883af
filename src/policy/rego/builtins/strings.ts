/** Text. Positions count code points. @module */
import type { Value } from '../value.js'
import { isArray } from '../value.js'
import { ARRAY, BOOLEAN, builtin, type Builtin, NUMBER, SET, STRING, type Surroundings } from './builtin.js'
import { membersOf } from './numbers.js'
import { checkFormat, formatted } from './sprintf.js'

type Text = readonly [string]
type Texts = readonly [string, string]

function predicate(of: (a: string, b: string) => boolean): Builtin {
  return builtin([STRING, STRING], BOOLEAN, ([a, b]: Texts) => of(a, b))
}

function change(of: (a: string, b: string) => string): Builtin {
  return builtin([STRING, STRING], STRING, ([a, b]: Texts) => of(a, b))
}

function concat(separator: string, of: Value, { spend }: Surroundings): Value | undefined {
  const parts = membersOf(of).filter((each) => typeof each === 'string')
  if (parts.length < membersOf(of).length) return undefined
  spend((separator.length * parts.length) / 16)
  return parts.join(separator)
}

function split(text: string, separator: string): readonly string[] {
  return separator === '' ? [...text] : text.split(separator)
}

function replace(text: string, [from, to]: Texts, { spend }: Surroundings): string {
  const places = from === '' ? [...text].length + 1 : text.split(from).length
  spend((places * to.length) / 16)
  if (from === '') return `${to}${[...text].map((each) => each + to).join('')}`
  return text.split(from).join(to)
}

function trimmed(text: string, cut: string, ends: { readonly left: boolean; readonly right: boolean }): string {
  const set = new Set(cut)
  const points = [...text]
  let start = 0
  let end = points.length
  while (ends.left && start < end && set.has(points[start] ?? '')) start++
  while (ends.right && end > start && set.has(points[end - 1] ?? '')) end--
  return points.slice(start, end).join('')
}

function substring(text: string, offset: Value, length: Value): Value | undefined {
  if (typeof offset !== 'number' || typeof length !== 'number' || offset < 0) return undefined
  if (!Number.isInteger(offset) || !Number.isInteger(length)) return undefined
  const points = [...text]
  return points.slice(offset, length < 0 ? undefined : offset + length).join('')
}

function indexOf(text: string, part: string): Value | undefined {
  if (part === '') return undefined
  const at = text.indexOf(part)
  return at === -1 ? -1 : [...text.slice(0, at)].length
}

/** The white space that Go trims. */
const SPACE =
  '\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'

/** Only for ASCII do both worlds agree on the other case of every letter. */
function cased(of: (text: string) => string): Builtin {
  return builtin([STRING], STRING, ([text]: Text) => of(text))
}

function upper(text: string): string {
  return [...text].map((each) => (each.toUpperCase().length > each.length ? each : each.toUpperCase())).join('')
}

function lower(text: string): string {
  return [...text].map((each) => (each.toLowerCase().length > each.length ? each : each.toLowerCase())).join('')
}

export const STRINGS: readonly (readonly [string, Builtin])[] = [
  ['contains', predicate((a, b) => a.includes(b))],
  ['startswith', predicate((a, b) => a.startsWith(b))],
  ['endswith', predicate((a, b) => a.endsWith(b))],
  ['lower', cased(lower)],
  ['upper', cased(upper)],
  ['trim', change((a, b) => trimmed(a, b, { left: true, right: true }))],
  ['trim_left', change((a, b) => trimmed(a, b, { left: true, right: false }))],
  ['trim_right', change((a, b) => trimmed(a, b, { left: false, right: true }))],
  ['trim_prefix', change((a, b) => (a.startsWith(b) ? a.slice(b.length) : a))],
  ['trim_suffix', change((a, b) => (a.endsWith(b) ? a.slice(0, a.length - b.length) : a))],
  ['trim_space', cased((text) => trimmed(text, SPACE, { left: true, right: true }))],
  ['strings.reverse', cased((text) => [...text].reverse().join(''))],
  [
    'concat',
    builtin([STRING, ARRAY | SET], STRING, ([a, b]: readonly [string, Value], around) => concat(a, b, around)),
  ],
  ['split', builtin([STRING, STRING], ARRAY, ([a, b]: Texts) => split(a, b))],
  [
    'replace',
    builtin([STRING, STRING, STRING], STRING, ([a, b, c]: readonly [string, string, string], around) =>
      replace(a, [b, c], around),
    ),
  ],
  [
    'substring',
    builtin([STRING, NUMBER, NUMBER], STRING, ([a, b, c]: readonly [string, Value, Value]) => substring(a, b, c)),
  ],
  ['indexof', builtin([STRING, STRING], NUMBER, ([a, b]: Texts) => indexOf(a, b))],
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
