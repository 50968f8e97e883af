/** Go's durations (`1h30m`), in nanoseconds. @module */

/** A duration in nanoseconds. */
export type Nanoseconds = bigint

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
])

const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy
const MAX = 2n ** 63n - 1n

/** Longest text that is looked at; the largest duration has far fewer characters. */
const MAX_LENGTH = 200

/** The duration of a text, or undefined if it is none. */
export function parseDuration(text: string): Nanoseconds | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const sign = /^[+-]/.exec(text)?.[0] ?? ''
  const body = text.slice(sign.length)
  if (body === '0') return 0n
  let total = 0n
  let end = 0
  for (const [part, whole = '', fraction = '', unit = ''] of body.matchAll(PART)) {
    if (whole === '' && fraction === '') return undefined
    const size = UNITS.get(unit) ?? 0n
    total += BigInt(whole === '' ? '0' : whole) * size
    total += (BigInt(fraction === '' ? '0' : fraction) * size) / 10n ** BigInt(fraction.length)
    end += part.length
  }
  if (end === 0 || end !== body.length || total > MAX) return undefined
  return sign === '-' ? -total : total
}

/** Whether a duration is one that Go can hold. */
export function isDuration(value: Nanoseconds): boolean {
  return value <= MAX && value >= -MAX
}

/** A duration as Go writes it: `1h0m0s`, `1.5s`, `20ms`. */
export function formatDuration(value: Nanoseconds): string {
  if (value === 0n) return '0s'
  const sign = value < 0n ? '-' : ''
  const size = value < 0n ? -value : value
  if (size < 1_000n) return `${sign}${String(size)}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`
  const seconds = decimal(size % 60_000_000_000n, 9)
  const minutes = size / 60_000_000_000n
  if (minutes === 0n) return `${sign}${seconds}s`
  if (minutes < 60n) return `${sign}${String(minutes)}m${seconds}s`
  return `${sign}${String(minutes / 60n)}h${String(minutes % 60n)}m${seconds}s`
}

/** A duration in seconds, with a fraction. */
export function inSeconds(value: Nanoseconds): number {
  return Number(value / 1_000_000_000n) + Number(value % 1_000_000_000n) / 1e9
}

function decimal(value: bigint, digits: number): string {
  const unit = 10n ** BigInt(digits)
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '')
  return fraction === '' ? String(value / unit) : `${String(value / unit)}.${fraction}`
}
