/** Versions of Composer packages (composer/semver, VersionParser). @module */
import { compareDigits, compareLists, compareNumbers, orderOf, type CompareVersions } from './order.js'

interface ComposerVersion {
  readonly numbers: readonly string[]
  readonly stability: number
  readonly stabilityNumbers: readonly string[]
  readonly dev: boolean
}

const STABILITIES: ReadonlyMap<string, number> = new Map([
  ['a', 1],
  ['alpha', 1],
  ['b', 2],
  ['beta', 2],
  ['rc', 3],
  ['', 4],
  ['stable', 4],
  ['p', 5],
  ['pl', 5],
  ['patch', 5],
])

const COMPOSER =
  /^v?(\d+(?:[.-]\d+)*)(?:[._-]?(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d)*))?([.-]?dev)?(?:\+\S+)?$/

function parse(text: string): ComposerVersion | undefined {
  const match = COMPOSER.exec(text.trim().toLowerCase())
  if (match === null) return undefined
  const [, numbers = '', stability = '', stabilityNumbers = '', dev] = match
  return {
    numbers: numbers.split(/[.-]/),
    stability: STABILITIES.get(stability) ?? 0,
    stabilityNumbers: stabilityNumbers.match(/\d+/g) ?? [],
    dev: dev !== undefined,
  }
}

/** Missing numbers are zero, as Composer fills them up; a development version comes before what it becomes. */
function compare(a: ComposerVersion, b: ComposerVersion): number {
  return (
    compareNumbers(a.numbers, b.numbers) ||
    rank(a) - rank(b) ||
    compareLists(a.stabilityNumbers, b.stabilityNumbers, { missing: '', compare: compareDigits }) ||
    Number(b.dev) - Number(a.dev)
  )
}

/** `1.0-dev` comes before every `1.0-alpha`. */
function rank({ stability, dev }: ComposerVersion): number {
  return dev && stability === STABILITIES.get('') ? 0 : stability
}

/** Branches (`dev-main`) have no order among versions. */
export const comparePackagist: CompareVersions = orderOf(parse, compare)
