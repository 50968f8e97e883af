/** Versions of Debian packages (Debian Policy §5.6.12). @module */
import { compareDigits, orderOf, type CompareVersions } from './order.js'

interface DebianVersion {
  readonly epoch: string
  readonly upstream: string
  readonly revision: string
}

const DEBIAN = /^(?:(\d+):)?([A-Za-z0-9.+~:-]+)$/

function parse(text: string): DebianVersion | undefined {
  const match = DEBIAN.exec(text.trim())
  if (match === null) return undefined
  const [, epoch = '0', rest = ''] = match
  const dash = rest.lastIndexOf('-')
  return dash < 0
    ? { epoch, upstream: rest, revision: '' }
    : { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) }
}

/** Runs of anything but digits and runs of digits in turn; a missing number counts as zero. */
function compareParts(a: string, b: string): number {
  const [left, right] = [a.match(RUNS) ?? [], b.match(RUNS) ?? []]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x = '', y = ''] = [left[index], right[index]]
    const digits = x.replace(/^\D*/, '')
    const digitsToo = y.replace(/^\D*/, '')
    const order =
      compareNonDigits(x.slice(0, x.length - digits.length), y.slice(0, y.length - digitsToo.length)) ||
      compareDigits(digits, digitsToo)
    if (order !== 0) return order
  }
  return 0
}

/** What is not a digit, and the digits behind it. */
const RUNS = /\D+\d*|\d+/g

/** A tilde before the end, the end before letters, letters before the rest. */
function compareNonDigits(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = weight(a, index) - weight(b, index)
    if (order !== 0) return order
  }
  return 0
}

function weight(text: string, index: number): number {
  const character = text[index]
  if (character === undefined) return 0
  if (character === '~') return -1
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256)
}

export const compareDebian: CompareVersions = orderOf(
  parse,
  (a, b) =>
    compareDigits(a.epoch, b.epoch) || compareParts(a.upstream, b.upstream) || compareParts(a.revision, b.revision),
)
