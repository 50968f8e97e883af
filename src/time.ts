/** Points in time, and their one text form. @module */
import { CodedError } from '#errors'

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type UnixMillis = number

/** Where the current time comes from. Only the start of a process makes a real one. */
export type Clock = () => UnixMillis

export type TimeErrorCode =
  /** A text is not an RFC 3339 time. */
  'TIME_FORMAT'

/** A text is not an RFC 3339 time. */
export class TimeError extends CodedError<TimeErrorCode> {
  override readonly name = 'TimeError'
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

/**
 * Reads an RFC 3339 time. Digits past the millisecond are cut off.
 * @throws {@link TimeError} if the text has another form or names a day or hour that does not exist.
 */
export function parseRfc3339(text: string): UnixMillis {
  const match = RFC3339.exec(text)
  if (match === null) throw malformed(text)
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] = match
  const local = utcMillis([year, month, day, hour, minute, second].map(Number))
  if (local === undefined) throw malformed(text)
  const millis = Number(fraction.slice(0, 3).padEnd(3, '0'))
  if (sign === undefined) return local + millis
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) throw malformed(text)
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000
  return local + millis - (sign === '+' ? offset : -offset)
}

/** Writes a time as RFC 3339 in UTC, with milliseconds only where there are some. */
export function formatRfc3339(time: UnixMillis): string {
  return new Date(time).toISOString().replace('.000Z', 'Z')
}

/** The time of six calendar fields (year, month 1–12, day, hour, minute, second), or undefined if there is no such time. */
export function utcMillis(fields: readonly number[]): UnixMillis | undefined {
  const [year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN] = fields
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day) // not Date.UTC, which moves the years 0–99 to 1900–1999
  date.setUTCHours(hour, minute, second)
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  return same ? date.getTime() : undefined
}

function malformed(text: string): TimeError {
  return new TimeError('TIME_FORMAT', 'not an RFC 3339 time', {
    expected: 'a time such as 2025-01-31T12:00:00Z',
    found: text.slice(0, 40),
  })
}
