/** Times as nanoseconds since the epoch, and semantic versions. @module */
import { isWhole, numberOfBigint, numberText, type RegoNumber } from '../number.js'
import { builtin, type Builtin, BOOLEAN, NUMBER, STRING } from './builtin.js'

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/

function parseTime(text: string): RegoNumber | undefined {
  const match = RFC3339.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [fraction = '', sign = '+', hours = '0', minutes = '0'] = match.slice(7)
  if (hour > 23 || minute > 59 || second > 59 || Number(hours) > 24 || Number(minutes) > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const away = (sign === '-' ? 1 : -1) * (Number(hours) * 60 + Number(minutes))
  const seconds = date.getTime() / 1000 + hour * 3600 + (minute + away) * 60 + second
  return inRange(BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}

/** The original refuses times that its 64 bits cannot hold. */
function inRange(nanoseconds: bigint): RegoNumber | undefined {
  return BigInt.asIntN(64, nanoseconds) === nanoseconds ? numberOfBigint(nanoseconds) : undefined
}

function addDate(time: RegoNumber, [years, months, days]: readonly RegoNumber[]): RegoNumber | undefined {
  if (typeof years !== 'number' || typeof months !== 'number' || typeof days !== 'number') return undefined
  if (
    ![time, years, months, days].every(isWhole) ||
    Math.max(Math.abs(years), Math.abs(months), Math.abs(days)) > 1e6
  ) {
    return undefined
  }
  const nanoseconds = BigInt(numberText(time))
  const rest = BigInt.asUintN(64, ((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n)
  const date = new Date(Number((nanoseconds - rest) / 1_000_000n))
  date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate() + days)
  return Number.isNaN(date.getTime()) ? undefined : inRange(BigInt(date.getTime()) * 1_000_000n + rest)
}

interface Version {
  readonly numbers: readonly bigint[]
  readonly pre: readonly string[]
}

function parseVersion(text: string): Version | undefined {
  const match = /^(\d{1,18})\.(\d{1,18})\.(\d{1,18})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text)
  if (match === null) return undefined
  const numbers = match.slice(1, 4)
  if (numbers.some((each) => /^0\d/.test(each))) return undefined
  const pre = match[4]?.split('.') ?? []
  if (pre.some((each) => each === '' || /^0\d+$/.test(each))) return undefined
  return { numbers: numbers.map(BigInt), pre }
}

function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length)
  for (const [index, one] of a.entries()) {
    const other = b[index]
    if (other === undefined) return 1
    if (one === other) continue
    const [x, y] = [/^\d+$/.test(one), /^\d+$/.test(other)]
    // Without zeros in front the longer number is the larger one.
    if (x && y && one.length !== other.length) return one.length < other.length ? -1 : 1
    if (x !== y) return x ? -1 : 1
    return one < other ? -1 : 1
  }
  return Math.sign(a.length - b.length)
}

function compareVersions(a: string, b: string): number | undefined {
  const [x, y] = [parseVersion(a), parseVersion(b)]
  if (x === undefined || y === undefined) return undefined
  for (const [index, number] of x.numbers.entries()) {
    const other = y.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  return comparePre(x.pre, y.pre)
}

export const TIMES: readonly (readonly [string, Builtin])[] = [
  ['time.now_ns', builtin([], NUMBER, (_, { now }) => numberOfBigint(now))],
  ['time.parse_rfc3339_ns', builtin([STRING], NUMBER, ([text]: readonly [string]) => parseTime(text))],
  [
    'time.add_date',
    builtin([NUMBER, NUMBER, NUMBER, NUMBER], NUMBER, ([time, ...by]: readonly [RegoNumber, ...RegoNumber[]]) =>
      addDate(time, by),
    ),
  ],
  ['semver.compare', builtin([STRING, STRING], NUMBER, ([a, b]: readonly [string, string]) => compareVersions(a, b))],
  ['semver.is_valid', builtin([STRING], BOOLEAN, ([a]: readonly [string]) => parseVersion(a) !== undefined)],
]
