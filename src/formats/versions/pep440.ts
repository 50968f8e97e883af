/** Versions of Python packages (PEP 440, now "Version specifiers" of the PyPA). @module */
import { compareDigits, compareLists, compareNumbers, compareText, orderOf, type CompareVersions } from './order.js'

interface Pep440 {
  readonly epoch: string
  readonly release: readonly string[]
  /** Rank and number of each part, so that they compare as the specification orders them. */
  readonly pre: Ranked
  readonly post: Ranked
  readonly dev: Ranked
  readonly local: readonly string[] | undefined
}

interface Ranked {
  readonly rank: number
  readonly number: string
}

// Appendix B, whitespace around it and letters of either case included.
const PEP440 = new RegExp(
  [
    '^v?(?:(?<epoch>\\d+)!)?(?<release>\\d+(?:\\.\\d+)*)',
    '(?:[-_.]?(?<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preNumber>\\d*))?',
    '(?:-(?<implicitPost>\\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\\d*))?',
    '(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\\d*))?',
    '(?:\\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$',
  ].join(''),
)

const PRE_RANKS: ReadonlyMap<string, number> = new Map([
  ['a', 1],
  ['alpha', 1],
  ['b', 2],
  ['beta', 2],
  ['c', 3],
  ['rc', 3],
  ['pre', 3],
  ['preview', 3],
])
const FINAL = 4

function parse(text: string): Pep440 | undefined {
  const groups = PEP440.exec(text.trim().toLowerCase())?.groups
  if (groups === undefined) return undefined
  const { epoch = '0', release = '', pre, preNumber, post, postNumber, implicitPost, dev, devNumber, local } = groups
  const isPost = post !== undefined || implicitPost !== undefined
  // A development release of nothing else comes before the prereleases: 1.0.dev1 < 1.0a1.
  const preRank = pre === undefined ? (dev !== undefined && !isPost ? 0 : FINAL) : (PRE_RANKS.get(pre) ?? FINAL)
  return {
    epoch,
    release: release.split('.'),
    pre: { rank: preRank, number: preNumber ?? '' },
    post: { rank: isPost ? 1 : 0, number: implicitPost ?? postNumber ?? '' },
    dev: { rank: dev === undefined ? 1 : 0, number: devNumber ?? '' },
    local: local?.split(/[-_.]/),
  }
}

function compare(a: Pep440, b: Pep440): number {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareNumbers(a.release, b.release) ||
    compareRanked(a.pre, b.pre) ||
    compareRanked(a.post, b.post) ||
    compareRanked(a.dev, b.dev) ||
    compareLocal(a.local, b.local)
  )
}

function compareRanked(a: Ranked, b: Ranked): number {
  return a.rank - b.rank || compareDigits(a.number, b.number)
}

/** Without one before any; numbers above words; a longer one above what it begins with. */
function compareLocal(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareLists(a, b, { missing: '', compare: compareLocalPart })
}

function compareLocalPart(a: string, b: string): number {
  const rank = (text: string): number => (text === '' ? 0 : /^\d+$/.test(text) ? 2 : 1)
  return rank(a) - rank(b) || (rank(a) === 2 ? compareDigits(a, b) : compareText(a, b))
}

/** What is not of this form was never ordered by anything but chance, and is not ordered here. */
export const comparePep440: CompareVersions = orderOf(parse, compare)
