/** Times as Kyverno's functions take and give them: RFC 3339, keeping the offset that a text was written with. @module */
import { formatRfc3339, parseRfc3339, utcMillis } from '#time'
import type { UnixMillis } from '#time'
import { parseDuration } from './duration.js'
import type { Nanoseconds } from './duration.js'
import { evaluationError } from './jmespath-error.js'

/** A time and the offset from UTC that it is written with, in minutes. */
export interface Moment {
  readonly time: UnixMillis
  readonly offset: number
}

const OFFSET = /([+-])(\d\d):?(\d\d)$/

/** Go counts from the year 1: it is what times are cut to multiples of. */
const YEAR_ONE = -62_135_596_800_000n

/** @throws JmesPathError JMESPATH_EVALUATION */
export function momentOf(text: string): Moment {
  try {
    return { time: parseRfc3339(text), offset: text.endsWith('Z') ? 0 : offsetOf(text) }
  } catch {
    throw evaluationError('not a time', { expected: 'RFC 3339', found: text.slice(0, 40) })
  }
}

/** @throws JmesPathError JMESPATH_EVALUATION */
export function durationOf(text: string): Nanoseconds {
  const duration = parseDuration(text)
  if (duration === undefined) throw evaluationError('not a duration', { expected: '1h30m', found: text.slice(0, 40) })
  return duration
}

/** RFC 3339 in whole seconds. */
export function writtenMoment({ time, offset }: Moment): string {
  const local = Math.floor(time / 1000) * 1000 + offset * 60_000
  if (!Number.isSafeInteger(local) || Math.abs(local) > 8.64e15) throw evaluationError('a time is out of range')
  const text = formatRfc3339(local)
  if (offset === 0) return text
  const minutes = Math.abs(offset)
  const digits = (value: number): string => String(value).padStart(2, '0')
  return `${text.slice(0, -1)}${offset < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`
}

/** Minute, hour, day, month and weekday, where the time was written. */
export function cronOf({ time, offset }: Moment): string {
  const local = new Date(time + offset * 60_000)
  const [minute, hour, day, month] = [
    local.getUTCMinutes(),
    local.getUTCHours(),
    local.getUTCDate(),
    local.getUTCMonth() + 1,
  ]
  return [minute, hour, day, month, local.getUTCDay()].join(' ')
}

/** The time some nanoseconds later; what is below a millisecond is cut off. */
export function later({ time, offset }: Moment, by: Nanoseconds): Moment {
  return { time: time + Number(by / 1_000_000n), offset }
}

/** The time cut down to a multiple of a duration. */
export function truncated(moment: Moment, to: Nanoseconds): Moment {
  if (to <= 0n) return moment
  const since = (BigInt(moment.time) - YEAR_ONE) * 1_000_000n
  const cut = since - (since % to)
  return { time: Number(cut / 1_000_000n + YEAR_ONE), offset: moment.offset }
}

function offsetOf(text: string): number {
  const [, sign, hours = '0', minutes = '0'] = OFFSET.exec(text) ?? []
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** What Go writes in a layout, and the pattern and field that it stands for. Longer ones first. */
const ELEMENTS: readonly (readonly [layout: string, pattern: string])[] = [
  ['2006', String.raw`(?<year>\d{4})`],
  ['Jan', `(?<name>${MONTHS.join('|')})`],
  ['Mon', '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'],
  ['MST', '(?:UTC|GMT)'],
  ['Z07:00', String.raw`(?<zone>Z|[+-]\d\d:\d\d)`],
  ['-07:00', String.raw`(?<zone>[+-]\d\d:\d\d)`],
  ['-0700', String.raw`(?<zone>[+-]\d{4})`],
  ['01', String.raw`(?<month>\d\d)`],
  ['02', String.raw`(?<day>\d\d)`],
  ['15', String.raw`(?<hour>\d\d)`],
  ['04', String.raw`(?<minute>\d\d)`],
  ['05', String.raw`(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?`],
]

/**
 * The time of a text in one of Go's layouts, as far as numbers of fixed width, short names and offsets go.
 * @throws JmesPathError JMESPATH_EVALUATION
 */
export function momentInLayout(layout: string, text: string): Moment {
  const match = layoutPattern(layout).exec(text.slice(0, 100))
  const part = match?.groups ?? {}
  const named = MONTHS.indexOf(part['name'] ?? '') + 1
  const month = named === 0 ? Number(part['month'] ?? '1') : named
  const clock = [part['hour'], part['minute'], part['second']].map((each) => Number(each ?? '0'))
  const local = utcMillis([Number(part['year'] ?? '0'), month, Number(part['day'] ?? '1'), ...clock])
  if (match === null || local === undefined) {
    throw evaluationError('not a time of the layout', { expected: layout, found: text.slice(0, 40) })
  }
  const offset = offsetOf(part['zone'] ?? '')
  const millis = Number((part['fraction'] ?? '').slice(0, 3).padEnd(3, '0'))
  return { time: local + millis - offset * 60_000, offset }
}

function layoutPattern(layout: string): RegExp {
  let pattern = ''
  const seen = new Set<string>()
  for (let rest = layout.slice(0, 100); rest !== '';) {
    const [element, meaning] = ELEMENTS.find(([each]) => rest.startsWith(each)) ?? [rest.charAt(0), undefined]
    if ((meaning === undefined && /[0-9A-SU-Ya-z_]/.test(element)) || seen.has(meaning ?? '')) {
      throw evaluationError('a time layout that is not supported', {
        expected: 'such as 2006-01-02T15:04:05Z07:00',
        found: layout.slice(0, 40),
      })
    }
    if (meaning !== undefined) seen.add(meaning)
    pattern += meaning ?? element.replace(/[\\^$.|?*+()[\]{}/-]/g, '\\$&')
    rest = rest.slice(element.length)
  }
  try {
    return new RegExp(`^${pattern}$`)
  } catch {
    throw evaluationError('a time layout names a part twice', { found: layout.slice(0, 40) })
  }
}
