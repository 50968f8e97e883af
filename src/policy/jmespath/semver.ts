/** Semantic versions and ranges of them, as Kyverno reads them. @module */

/** A version of three numbers, and perhaps what comes before its release. */
export interface Version {
  readonly numbers: readonly [major: bigint, minor: bigint, patch: bigint]
  readonly prerelease: readonly string[]
}

const VERSION =
  /^(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/
const WILD = /^(0|[1-9]\d{0,18})(?:\.(0|[1-9]\d{0,18}))?\.[xX*](?:\.[xX*])?$/
const CONSTRAINT = /^(>=|<=|==|!=|>|<|=|!)?\s*([^\s<>=!|]+)$/

/** The version of a text, or undefined if it is none. */
export function parseVersion(text: string): Version | undefined {
  const match = text.length > 256 ? null : VERSION.exec(text)
  if (match === null) return undefined
  const [, major = '', minor = '', patch = '', before] = match
  const prerelease = before?.split('.') ?? []
  if (prerelease.some((part) => part === '' || /^0\d+$/.test(part))) return undefined
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], prerelease }
}

/** Negative, zero or positive, by the precedence of Semantic Versioning 2.0.0 §11. */
export function compareVersions(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length
  for (const [index, part] of a.prerelease.entries()) {
    const other = b.prerelease[index]
    if (other === undefined) return 1
    if (part !== other) return comparePart(part, other)
  }
  return a.prerelease.length - b.prerelease.length
}

function comparePart(a: string, b: string): number {
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x !== y) return x ? -1 : 1
  if (x && a.length !== b.length) return a.length - b.length
  return a < b ? -1 : 1
}

type Range = (version: Version) => boolean

const TESTS: ReadonlyMap<string, (least: number, below: number) => boolean> = new Map([
  ['>=', (least) => least >= 0],
  ['>', (_, below) => below >= 0],
  ['<', (least) => least < 0],
  ['<=', (_, below) => below < 0],
  ['=', (least, below) => least >= 0 && below < 0],
  ['!=', (least, below) => least < 0 || below >= 0],
])

const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['==', '='],
  ['!', '!='],
])

/** The range of a text such as `>=1.2.0 <2.0.0 || 3.x`, or undefined if it is none. */
export function parseRange(text: string): Range | undefined {
  if (text.length > 1024) return undefined
  const alternatives: Range[] = []
  for (const part of text.split('||')) {
    const words = part
      .trim()
      .replace(/([<>=!])\s+/g, '$1')
      .split(/\s+/)
    const all = words.map(constraint).filter((each) => each !== undefined)
    if (all.length !== words.length) return undefined
    alternatives.push((version) => all.every((holds) => holds(version)))
  }
  return (version) => alternatives.some((holds) => holds(version))
}

function constraint(text: string): Range | undefined {
  const match = CONSTRAINT.exec(text)
  const [, written = '=', operand = ''] = match ?? []
  const holds = TESTS.get(SPELLINGS.get(written) ?? written)
  if (match === null || holds === undefined) return undefined
  const exact = parseVersion(operand)
  if (exact !== undefined) {
    return (version) => {
      const order = compareVersions(version, exact)
      return holds(order, order === 0 ? -1 : order)
    }
  }
  const wild = WILD.exec(operand)
  if (wild === null) return undefined
  const [, major = '0', minor] = wild
  const least = release(BigInt(major), BigInt(minor ?? '0'))
  const below = minor === undefined ? release(BigInt(major) + 1n, 0n) : release(BigInt(major), BigInt(minor) + 1n)
  return (version) => holds(compareVersions(version, least), compareVersions(version, below))
}

function release(major: bigint, minor: bigint): Version {
  return { numbers: [major, minor, 0n], prerelease: [] }
}
