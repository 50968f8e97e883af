/** Semantic versions, and the orders that are nearly theirs: npm, crates.io, Go, Hex, Pub, NuGet, Bitnami. @module */
import { compareDigits, compareNumbers, compareText, orderOf, type CompareVersions } from './order.js'

interface Semver {
  readonly core: readonly string[]
  readonly prerelease: readonly string[]
  readonly build: readonly string[]
}

// More is taken than semver.org §2 allows (a `v`, fewer or more numbers), since SBOMs have it; nothing else is ever equal to it.
const SEMVER = /^[vV=]?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.+_-]+))?$/

function parse(text: string): Semver | undefined {
  const match = SEMVER.exec(text)
  if (match === null) return undefined
  const [, core = '', prerelease, build] = match
  return { core: core.split('.'), prerelease: prerelease?.split('.') ?? [], build: build?.split(/[.+]/) ?? [] }
}

/** Precedence, semver.org §11: build metadata does not count. */
function precedence(a: Semver, b: Semver): number {
  return compareNumbers(a.core, b.core) || comparePrereleases(a.prerelease, b.prerelease)
}

/** A version without a prerelease is higher than one with. */
function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length) - Math.sign(a.length)
  return compareIdentifiers(a, b)
}

/** Numbers below words; of two that agree the longer one is higher. */
function compareIdentifiers(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [x = '', y = ''] = [a[index], b[index]]
    const [isNumber, isNumberToo] = [/^\d+$/.test(x), /^\d+$/.test(y)]
    const order =
      isNumber && isNumberToo
        ? compareDigits(x, y)
        : isNumber !== isNumberToo
          ? Number(isNumberToo) - Number(isNumber)
          : compareText(x, y)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Semantic versioning 2.0.0. */
export const compareSemver: CompareVersions = orderOf(parse, precedence)

/** Dart's: build metadata comes after none, and is compared like a prerelease (pub_semver). */
export const comparePub: CompareVersions = orderOf(
  parse,
  (a, b) => precedence(a, b) || compareIdentifiers(a.build, b.build),
)

/** NuGet's: letters in either case are the same. */
export const compareNuget: CompareVersions = orderOf((text) => parse(text.toLowerCase()), precedence)

/** Go modules, and Go itself: `go1.21rc2` is `1.21.0-rc.2`. */
export const compareGo: CompareVersions = orderOf((text) => parse(goVersion(text)), precedence)

function goVersion(text: string): string {
  const release = /^(?:go)?(\d+\.\d+(?:\.\d+)?)(beta|rc)(\d+)$/.exec(text)
  if (release !== null) return `${release[1] ?? ''}-${release[2] ?? ''}.${release[3] ?? ''}`
  // A toolchain may say more about itself after a space or a dash: `go1.22.3 X:boringcrypto`.
  return text.replace(/^go(?=\d)/, '').replace(/ .*$/, '')
}

/** Bitnami packages a version several times: `6.2.0-3` is the third package of `6.2.0`, which is what records speak of. */
export const compareBitnami: CompareVersions = orderOf((text) => parse(text.replace(/-\d+$/, '')), precedence)
