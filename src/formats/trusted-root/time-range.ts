/** Periods of validity as trusted roots and signing configurations have them. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import type { UnixMillis } from '#time'
import { formatRfc3339 } from '#time'
import type { TimeRange } from './trusted-root.js'

/** Whether a time is in the range. Both ends belong to it, and an absent end is open. */
export function timeRangeContains({ start, end }: TimeRange, at: UnixMillis): boolean {
  return (start === undefined || start <= at) && (end === undefined || at <= end)
}

/** Reads a protobuf `TimeRange`. */
export function parseTimeRange(value: JsonValue, path: string): TimeRange {
  const reader = readMessage(value, path, { names: ['start', 'end'] })
  return { start: reader.optionalTimestamp('start'), end: reader.optionalTimestamp('end') }
}

/** Writes a protobuf `TimeRange`. */
export function timeRangeToJson({ start, end }: TimeRange): JsonObject {
  return {
    ...(start === undefined ? {} : { start: formatRfc3339(start) }),
    ...(end === undefined ? {} : { end: formatRfc3339(end) }),
  }
}

/** For messages: `2021-01-12T11:53:27Z to now`. */
export function describeTimeRange({ start, end }: TimeRange): string {
  const from = start === undefined ? 'the beginning' : formatRfc3339(start)
  return `${from} to ${end === undefined ? 'the end of time' : formatRfc3339(end)}`
}
