/** Regular expressions and globs, in linear time. @module */
import { compilePattern, type Pattern } from '#verify/pattern/pattern'
import { isCodedError } from '#errors'
import { RegoError, unsupported } from '../rego-error.js'
import { isArray, type Value } from '../value.js'
import { ARRAY, BOOLEAN, builtin, type Builtin, NULL, STRING, type Surroundings } from './builtin.js'

/** Steps of a pattern that count as one: a small pattern can ask for many, `(?:a?){1000}`, and take all of them for each character. */
const MATCHES_A_STEP = 8

/** Pays for looking for a pattern in a text. */
function paid(pattern: Pattern, text: string, { spend }: Surroundings): Pattern {
  spend(1 + (pattern.size * text.length) / MATCHES_A_STEP)
  return pattern
}

const REGEX: Builtin = {
  ...builtin([STRING, STRING], BOOLEAN, ([source, text]: readonly [string, string], around) =>
    paid(around.pattern(source), text, around).occursIn(text),
  ),
  check: ([source], line) => {
    if (typeof source !== 'string') return
    try {
      compilePattern(source)
    } catch (error) {
      if (!isCodedError(error)) throw error
      throw unsupported('that regular expression', line)
    }
  },
}

/** A glob as a pattern: `*` and `?` stop at delimiters, `**` does not. */
function globPattern(glob: string, delimiters: string): string {
  const escaped = [...delimiters].map((each) => `\\x{${(each.codePointAt(0) ?? 0).toString(16)}}`).join('')
  const one = delimiters === '' ? '(?s:.)' : `[^${escaped}]`
  const literal = (each: string): string => `\\x{${(each.codePointAt(0) ?? 0).toString(16)}}`
  let depth = 0
  let pattern = ''
  for (const part of glob.match(/\*+|\\.|[^]/gu) ?? []) {
    if (part === '*') pattern += `${one}*`
    else if (part === '**') pattern += '(?s:.*)'
    else if (part === '?') pattern += one
    else if (part === '{') pattern += depth++ === 0 ? '(?:' : refuse()
    else if (part === '}') pattern += depth-- === 1 ? ')' : refuse()
    else if (part === ',' && depth > 0) pattern += '|'
    else if (part.startsWith('*') || part === '[' || part === ']' || part === '\\') refuse()
    else pattern += literal(part.length > 1 && part.startsWith('\\') ? part.slice(1) : part)
  }
  return depth === 0 ? pattern : refuse()
}

function refuse(): never {
  throw new RegoError('REGO_UNSUPPORTED', 'a glob uses what is not supported', { expected: '*, **, ? and {a,b}' })
}

function globMatches(glob: string, delimiters: Value, text: string, around: Surroundings): boolean | undefined {
  const given = isArray(delimiters) ? delimiters.filter((each) => typeof each === 'string') : []
  if (isArray(delimiters) && given.length < delimiters.length) return undefined
  if (given.some((each) => [...each].length !== 1)) return undefined
  const stops = isArray(delimiters) ? (given.length === 0 ? '.' : given.join('')) : ''
  around.spend(glob.length)
  return paid(around.pattern(globPattern(glob, stops)), text, around).matches(text)
}

export const MATCHING: readonly (readonly [string, Builtin])[] = [
  ['regex.match', REGEX],
  ['re_match', REGEX],
  [
    'glob.match',
    builtin(
      [STRING, ARRAY | NULL, STRING],
      BOOLEAN,
      ([glob, delimiters, text]: readonly [string, Value, string], around) =>
        globMatches(glob, delimiters, text, around),
    ),
  ],
]
