/** Texts of flag values, read as Go's flag libraries read them. @module */
import { UsageError } from './errors.js'
import type { Flag } from './flags.js'

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])
const NANOSECONDS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
])

/** The value of one text, before repeated flags are put together. */
export type SingleValue = boolean | number | string | readonly string[]

/**
 * Reads the text given to a flag.
 * @throws {@link UsageError} `USAGE_FLAG_VALUE` if it does not fit; the value of a secret flag is not repeated.
 */
export function readFlagValue(flag: Flag, shownAs: string, text: string): SingleValue {
  const fail = (expected: string): UsageError =>
    new UsageError('USAGE_FLAG_VALUE', `invalid argument ${shown(flag, text)} for "${shownAs}" flag`, { expected })
  switch (flag.kind) {
    case 'boolean':
      if (TRUE.has(text)) return true
      if (FALSE.has(text)) return false
      throw fail('true or false')
    case 'number':
      if (!/^[+-]?\d{1,15}$/.test(text)) throw fail('a whole number')
      return Number(text)
    case 'duration': {
      const duration = readDuration(text)
      if (duration === undefined) throw fail('a time span such as 90s, 3m0s or 1h')
      return duration
    }
    case 'list': {
      const list = splitCsv(text)
      if (list === undefined) throw fail('values separated by commas, those with a comma in "quotes"')
      return list
    }
    case 'repeated':
      return [text]
    default:
      if (flag.choices !== undefined && !flag.choices.includes(text)) throw fail(`one of ${flag.choices.join(', ')}`)
      return text
  }
}

function shown(flag: Flag, text: string): string {
  return flag.secret === true ? '(not shown)' : JSON.stringify(text)
}

/** A Go duration in milliseconds, or undefined if the text is none. */
export function readDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text)
  if (match === null) return undefined
  let nanoseconds = 0
  for (const [, amount, unit = ''] of (match[2] ?? '').matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    nanoseconds += Number(amount) * (NANOSECONDS_PER_UNIT.get(unit) ?? NaN)
  }
  return ((match[1] === '-' ? -1 : 1) * nanoseconds) / 1e6
}

/** Writes milliseconds as Go writes a duration, to the second: `3m0s`. */
export function showDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  if (hours > 0) return `${String(hours)}h${String(minutes)}m${String(rest)}s`
  return minutes > 0 ? `${String(minutes)}m${String(rest)}s` : `${String(rest)}s`
}

/** One line of CSV (RFC 4180), as pflag's string slices take it; undefined if a quote is out of place. */
export function splitCsv(text: string): readonly string[] | undefined {
  if (text === '') return []
  const fields: string[] = []
  let rest = text
  for (;;) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/s.exec(rest)
    if (match === null) return undefined
    fields.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'))
    if (match[3] === '') return fields
    rest = rest.slice(match[0].length)
  }
}
