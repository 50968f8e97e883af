/** Parts of timestamps and durations. @module */
import { member } from '../environment.js'
import type { Library, Overload } from '../environment.js'
import { duration, int, string, timestamp } from '../kind.js'
import { calendarFields } from '../times.js'
import type { CalendarFields } from '../times.js'

function field(read: (fields: CalendarFields) => number): readonly Overload[] {
  return [
    member([timestamp], int, ([time]) => BigInt(read(calendarFields(time)))),
    member([timestamp, string], int, ([time, zone]) => BigInt(read(calendarFields(time, zone)))),
  ]
}

/** A duration in whole units of so many nanoseconds. */
function units(nanos: bigint): Overload {
  return member([duration], int, ([length]) => length.nanos / nanos)
}

export const CALENDAR: Library = {
  getFullYear: field(({ year }) => year),
  getMonth: field(({ month }) => month),
  getDayOfYear: field(({ yearday }) => yearday),
  getDayOfMonth: field(({ day }) => day - 1),
  getDate: field(({ day }) => day),
  getDayOfWeek: field(({ weekday }) => weekday),
  getHours: [...field(({ hours }) => hours), units(3_600_000_000_000n)],
  getMinutes: [...field(({ minutes }) => minutes), units(60_000_000_000n)],
  getSeconds: [...field(({ seconds }) => seconds), units(1_000_000_000n)],
  // Of a duration all of it, not the part below a second.
  getMilliseconds: [...field(({ milliseconds }) => milliseconds), units(1_000_000n)],
}
