/** Semantic versions, as Kubernetes has them. @module */
import { compareVersions, parseVersion } from '#policy/jmespath/semver'
import type { Version } from '#policy/jmespath/semver'
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library, Overload } from '../environment.js'
import { bool, int, opaqueKind, string } from '../kind.js'
import { Opaque } from '../values.js'

class Semver extends Opaque {
  override readonly typeName = 'kubernetes.Semver'
  readonly version: Version

  constructor(version: Version) {
    super()
    this.version = version
  }

  override equals(other: Opaque): boolean {
    return other instanceof Semver && compareVersions(this.version, other.version) === 0
  }
}

const semver = opaqueKind('kubernetes.Semver', Semver)

/** `v1.2` becomes `1.2.0`, `01.2.3` becomes `1.2.3`. */
function normalized(text: string): string {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.')
  const parts = [major, minor, rest.length === 0 ? undefined : rest.join('.')].map((part) =>
    part?.replace(/^0+(?=\d)/, ''),
  )
  const given = parts.filter((part) => part !== undefined)
  // A shortened version has nothing behind its numbers.
  if (given.length < 3 && /[+-]/.test(given.at(-1) ?? '')) return ''
  return parts.map((part) => part ?? '0').join('.')
}

function readVersion(text: string): Version {
  const version = parseVersion(text)
  if (version !== undefined) return version
  throw evaluationError('not a semantic version', { expected: 'such as 1.2.3', found: text.slice(0, 60) })
}

function order(a: Semver, b: Semver): number {
  return Math.sign(compareVersions(a.version, b.version))
}

function number(index: 0 | 1 | 2): readonly Overload[] {
  return [member([semver], int, ([{ version }]) => version.numbers[index])]
}

export const VERSIONS: Library = {
  semver: [
    free([string], semver, ([text]) => new Semver(readVersion(text))),
    free([string, bool], semver, ([text, normalize]) => new Semver(readVersion(normalize ? normalized(text) : text))),
  ],
  isSemver: [
    free([string], bool, ([text]) => parseVersion(text) !== undefined),
    free([string, bool], bool, ([text, normalize]) => parseVersion(normalize ? normalized(text) : text) !== undefined),
  ],
  isGreaterThan: [member([semver, semver], bool, ([a, b]) => order(a, b) > 0)],
  isLessThan: [member([semver, semver], bool, ([a, b]) => order(a, b) < 0)],
  compareTo: [member([semver, semver], int, ([a, b]) => BigInt(order(a, b)))],
  major: number(0),
  minor: number(1),
  patch: number(2),
}
