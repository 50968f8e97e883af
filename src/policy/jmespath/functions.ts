/** The one table of functions: JMESPath's own and Kyverno's. @module */
import type { JsonValue } from '#encoding/json'
import { ARITHMETIC } from './arithmetic.js'
import { formatDuration } from './duration.js'
import type { FunctionLine, JmesFunction, Surroundings } from './function.js'
import { takes } from './function.js'
import { evaluationError } from './jmespath-error.js'
import { STANDARD_FUNCTIONS } from './standard-functions.js'
import { TEXT_FUNCTIONS } from './text-functions.js'
import { cronOf, durationOf, later, momentInLayout, momentOf, truncated, writtenMoment } from './times.js'
import type { Moment } from './times.js'

const NUMBER_FUNCTIONS: readonly FunctionLine[] = [
  ...Object.entries(ARITHMETIC).map(([name, calculate]): FunctionLine => [
    name,
    takes(['string or number', 'string or number'], ([a, b]) => calculate(a, b)),
  ]),
  ['sum', takes(['array'], ([values]) => sum(values))],
  ['round', takes(['number', 'number'], ([value, digits]) => rounded(value, digits))],
]

const TIME_FUNCTIONS: readonly FunctionLine[] = [
  ['time_now', takes([], (_, world) => writtenMoment(now(world)))],
  ['time_now_utc', takes([], (_, world) => writtenMoment(now(world)))],
  ['time_since', takes(['string', 'string', 'string'], timeSince)],
  ['time_add', takes(['string', 'string'], ([time, by]) => writtenMoment(later(momentOf(time), durationOf(by))))],
  ['time_parse', takes(['string', 'string'], ([layout, text]) => writtenMoment(parsedTime(layout, text)))],
  ['time_to_cron', takes(['string'], ([time]) => cronOf(momentOf(time)))],
  ['time_utc', takes(['string'], ([time]) => writtenMoment({ time: momentOf(time).time, offset: 0 }))],
  ['time_diff', takes(['string', 'string'], ([from, to]) => difference(momentOf(from), momentOf(to)))],
  ['time_before', takes(['string', 'string'], ([a, b]) => momentOf(a).time < momentOf(b).time)],
  ['time_after', takes(['string', 'string'], ([a, b]) => momentOf(a).time > momentOf(b).time)],
  ['time_between', takes(['string', 'string', 'string'], ([time, start, end]) => between(time, start, end))],
  [
    'time_truncate',
    takes(['string', 'string'], ([time, to]) => writtenMoment(truncated(momentOf(time), durationOf(to)))),
  ],
]

/** Every function that an expression may call. */
export const FUNCTIONS: ReadonlyMap<string, JmesFunction> = new Map([
  ...STANDARD_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...TIME_FUNCTIONS,
])

/** Kyverno's functions that are refused, and why. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['md5', 'MD5 is no digest to rely on; use sha256'],
  ['sha1', 'SHA-1 is no digest to rely on; use sha256'],
  ['random', 'a verdict must not depend on chance'],
  ['x509_decode', 'whom a certificate names is what attestors ask for'],
  ['regex_replace_all', 'use regex_match to judge, or replace_all and split'],
  ['regex_replace_all_literal', 'use regex_match to judge, or replace_all and split'],
])

function sum(values: readonly JsonValue[]): number | string {
  const [first, ...others] = values.map((value) => {
    if (typeof value === 'number' || typeof value === 'string') return value
    throw evaluationError('a sum is of numbers, quantities or durations')
  })
  if (first === undefined) throw evaluationError('a sum needs at least one element')
  return others.reduce((total, value) => ARITHMETIC.add(total, value), first)
}

/** Half away from zero, as Go rounds. */
function rounded(value: number, digits: number): number {
  if (!Number.isInteger(digits) || digits < 0 || digits > 20) {
    throw evaluationError('the number of decimals is a whole number', { expected: '0 to 20', found: String(digits) })
  }
  const shift = 10 ** digits
  const result = (Math.sign(value) * Math.round(Math.abs(value) * shift)) / shift
  return Number.isFinite(result) ? result : value
}

function now({ clock }: Surroundings): Moment {
  return { time: clock(), offset: 0 }
}

function difference(from: Moment, to: Moment): string {
  return formatDuration(BigInt(to.time - from.time) * 1_000_000n)
}

function timeSince([layout, from, to]: readonly [string, string, string], world: Surroundings): string {
  const moment = (text: string): Moment => (layout === '' ? momentOf(text) : momentInLayout(layout, text))
  return difference(moment(from), to === '' ? now(world) : moment(to))
}

/** A layout that is a number means seconds since 1970. */
function parsedTime(layout: string, text: string): Moment {
  if (!/^[+-]?\d{1,18}$/.test(layout)) return momentInLayout(layout, text)
  if (!/^[+-]?\d{1,12}$/.test(text)) throw evaluationError('not seconds since 1970', { found: text.slice(0, 40) })
  return { time: Number(text) * 1000, offset: 0 }
}

function between(time: string, start: string, end: string): boolean {
  const [at, first, last] = [momentOf(time).time, momentOf(start).time, momentOf(end).time]
  return at > first && at < last
}
