/** Versions of RPM packages: epoch, version and release, each in rpm's order (rpm-version(7)). @module */
import { compareDigits, compareText, orderOf, type CompareVersions } from './order.js'

interface RpmVersion {
  readonly epoch: string
  readonly version: string
  readonly release: string | undefined
}

function parse(text: string): RpmVersion | undefined {
  const match = /^(?:(\d*):)?([^:\s]+)$/.exec(text.trim())
  if (match === null) return undefined
  const [, epoch = '', rest = ''] = match
  const dash = rest.lastIndexOf('-')
  return dash < 0
    ? { epoch, version: rest, release: undefined }
    : { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) }
}

function compare(a: RpmVersion, b: RpmVersion): number {
  return (
    compareDigits(a.epoch, b.epoch) || compareSegments(a.version, b.version) || compareReleases(a.release, b.release)
  )
}

/** A version without a release comes before all of its releases. */
function compareReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareSegments(a, b)
}

/** Digits, letters, and the two signs that mean something; whatever else stands between only separates. */
const SEGMENTS = /\d+|[A-Za-z]+|[~^]/g

function compareSegments(a: string, b: string): number {
  const [left, right] = [a.match(SEGMENTS) ?? [], b.match(SEGMENTS) ?? []]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareSegment(left[index], right[index])
    if (order !== 0) return order
  }
  return 0
}

/** `~` before the end, the end before `^`, `^` before anything else, letters before numbers. */
function compareSegment(a: string | undefined, b: string | undefined): number {
  const order = rank(a) - rank(b)
  if (order !== 0 || a === undefined || b === undefined) return order
  return rank(a) === NUMBER ? compareDigits(a, b) : compareText(a, b)
}

const NUMBER = 4

function rank(segment: string | undefined): number {
  if (segment === undefined) return 1
  if (segment === '~') return 0
  if (segment === '^') return 2
  return /^\d/.test(segment) ? NUMBER : 3
}

export const compareRpm: CompareVersions = orderOf(parse, compare)
