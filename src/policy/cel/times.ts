/** Timestamps and durations to the nanosecond, and their text forms. @module */
import { evaluationError } from './cel-error.js'
import { Duration, Timestamp } from './values.js'

const SECOND = 1_000_000_000n
const MILLI = 1_000_000n
/** The years 1 to 9999. */
const FIRST = -62_135_596_800n * SECOND
const LAST = 253_402_300_799n * SECOND + 999_999_999n
const INT64_END = 2n ** 63n

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/

/** @throws CelError `CEL_EVALUATION` outside the years 1 to 9999 */
export function timestampOf(nanos: bigint): Timestamp {
  if (nanos < FIRST || nanos > LAST) throw evaluationError('timestamp overflow')
  return new Timestamp(nanos)
}

/** @throws CelError `CEL_EVALUATION` for more than 292 years */
export function durationOf(nanos: bigint): Duration {
  if (nanos < -INT64_END || nanos >= INT64_END) throw evaluationError('duration overflow')
  return new Duration(nanos)
}

/** @throws CelError `CEL_EVALUATION` */
export function parseTimestamp(text: string): Timestamp {
  const match = RFC3339.exec(text)
  if (match === null) throw notATime(text)
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = match
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = [year, month, day, hour, minute, second].map(Number)
  const date = new Date(0)
  date.setUTCFullYear(y, mo - 1, d)
  date.setUTCHours(h, mi, s)
  const exists = date.getUTCMonth() === mo - 1 && date.getUTCDate() === d && h < 24 && mi < 60 && s < 60
  const [oh, om] = [Number(offsetHour ?? 0), Number(offsetMinute ?? 0)]
  if (!exists || oh > 23 || om > 59) throw notATime(text)
  const offset = BigInt(oh * 60 + om) * 60n * SECOND
  const local = BigInt(date.getTime()) * MILLI + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return timestampOf(sign === undefined ? local : sign === '+' ? local - offset : local + offset)
}

function notATime(text: string): Error {
  return evaluationError('not a timestamp', {
    expected: 'RFC 3339, such as 2025-01-31T12:00:00Z',
    found: text.slice(0, 60),
  })
}

/** RFC 3339 in UTC, with as many digits of a second as are needed. */
export function formatTimestamp({ nanos }: Timestamp): string {
  const { whole, rest } = split(nanos, SECOND)
  const seconds = new Date(Number(whole) * 1000).toISOString().slice(0, 19).replace(/^\+00/, '')
  return `${seconds}${fraction(rest)}Z`
}

function fraction(rest: bigint): string {
  return rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
}

/** Division that rounds down, so that the rest is never negative. */
function split(value: bigint, by: bigint): { readonly whole: bigint; readonly rest: bigint } {
  const rest = ((value % by) + by) % by
  return { whole: (value - rest) / by, rest }
}

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1000n],
  ['µs', 1000n],
  ['μs', 1000n],
  ['ms', MILLI],
  ['s', SECOND],
  ['m', 60n * SECOND],
  ['h', 3600n * SECOND],
])

const DURATION = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g

/**
 * Reads `1h30m`, `1.5s`, `-100ms`, as Go writes durations.
 * @throws CelError `CEL_EVALUATION`
 */
export function parseDuration(text: string): Duration {
  const match = text.length > 100 ? null : DURATION.exec(text)
  if (text === '0' || text === '+0' || text === '-0') return new Duration(0n)
  if (match === null) {
    throw evaluationError('not a duration', { expected: 'such as 1h30m or 1.5s', found: text.slice(0, 60) })
  }
  let nanos = 0n
  for (const [, whole = '', part = '', unit = ''] of text.matchAll(PART)) {
    const size = UNITS.get(unit) ?? 0n
    nanos += BigInt(whole) * size + (BigInt(part) * size) / 10n ** BigInt(part.length)
  }
  return durationOf(match[1] === '-' ? -nanos : nanos)
}

/** In seconds: `5400s`, `0.001s`. */
export function formatDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos
  return `${nanos < 0n ? '-' : ''}${String(size / SECOND)}${fraction(size % SECOND)}s`
}

export interface CalendarFields {
  readonly year: number
  /** 0 to 11. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
  readonly milliseconds: number
  /** Sunday is 0. */
  readonly weekday: number
  /** The first of January is 0. */
  readonly yearday: number
}

/**
 * What the calendar and the clock show in a time zone (`Europe/Berlin`, `-08:00`; UTC if none is given).
 * @throws CelError `CEL_EVALUATION` if there is no such zone
 */
export function calendarFields({ nanos }: Timestamp, zone?: string): CalendarFields {
  const { whole, rest } = split(nanos, SECOND)
  const local = new Date(Number(whole) * 1000 + offsetOf(Number(whole) * 1000, zone))
  const start = new Date(0)
  start.setUTCFullYear(local.getUTCFullYear(), 0, 1)
  start.setUTCHours(0, 0, 0, 0)
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    hours: local.getUTCHours(),
    minutes: local.getUTCMinutes(),
    seconds: local.getUTCSeconds(),
    milliseconds: Number(rest / MILLI),
    weekday: local.getUTCDay(),
    yearday: Math.floor((local.getTime() - start.getTime()) / 86_400_000),
  }
}

const OFFSET = /^([+-]?)(\d\d):(\d\d)$/

/** Milliseconds that a zone is ahead of UTC at a time. */
function offsetOf(time: number, zone: string | undefined): number {
  if (zone === undefined || zone === '' || zone === 'UTC') return 0
  const fixed = OFFSET.exec(zone)
  if (fixed !== null) {
    const [, sign, hours, minutes] = fixed
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
  }
  const part = (type: string): number => Number(parts.find((each) => each.type === type)?.value)
  const parts = zoneFormat(zone).formatToParts(time)
  const date = new Date(0)
  date.setUTCFullYear(part('year'), part('month') - 1, part('day'))
  date.setUTCHours(part('hour'), part('minute'), part('second'))
  return date.getTime() - time
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (cause) {
    throw evaluationError('no such time zone', {
      expected: 'such as Europe/Berlin or -08:00',
      found: zone.slice(0, 60),
      cause,
    })
  }
}
