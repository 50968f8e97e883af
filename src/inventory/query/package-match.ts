/** Whether a component is the package that a vulnerability record is about, and what that means for it. @module */
import { ECOSYSTEMS, type Ecosystem } from '#formats/osv/ecosystem'
import { impactOn, type Impact } from '#formats/osv/evaluate'
import type { OsvAffected, OsvPackage } from '#formats/osv/record'
import type { PackageUrl } from '#formats/purl/purl'
import type { Distribution } from '#formats/sbom/component'
import type { StoredComponent } from '../cache/entry.js'
import { releaseRelation } from './release.js'

/** A component with what is needed to compare it. */
export interface Candidate {
  readonly component: StoredComponent
  readonly purl: PackageUrl | undefined
  /** Of the bill of materials, for packages that do not name their own. */
  readonly distribution: Distribution | undefined
}

export interface Verdict {
  /** Whether the record is about this very package, or may be. */
  readonly certainty: 'same' | 'possible'
  readonly impact: Impact
}

/** Types of package URLs that some ecosystem owns: their packages are nobody else's. */
const OWNED = new Set([...ECOSYSTEMS.values()].flatMap(({ purlTypes }) => purlTypes))
/** Types that name whole images, which no record is about. */
const IMAGES = new Set(['oci', 'docker'])

/** What a record says about a component; undefined if it is about something else. */
export function judgeComponent(affected: OsvAffected, candidate: Candidate): Verdict | undefined {
  const { package: named } = affected
  if (named === undefined) return judgeByName(affected, repositoryNames(affected), candidate)
  const ecosystem = ECOSYSTEMS.get(named.ecosystem)
  const { purl } = candidate
  if (purl === undefined || (!OWNED.has(purl.type) && !isNamedByPurl(named, purl)))
    return judgeByName(affected, [named.name], candidate)
  if (ecosystem === undefined) return judgeForeign(affected, named, candidate)
  if (!ecosystem.purlTypes.includes(purl.type)) return undefined
  if (ecosystem.distribution === true) return judgeDistribution(affected, named, { ...candidate, purl, ecosystem })
  if (!isSameName(nameOf(ecosystem, purl), named.name)) return undefined
  return { certainty: 'same', impact: worst(versionsOf(candidate), affected, ecosystem) }
}

/** Names that a record can go by, to find what is worth comparing. */
export function namesOfAffected(affected: OsvAffected): readonly string[] {
  const { package: named, binaries } = affected
  return named === undefined ? repositoryNames(affected) : [lastPart(named.name), ...binaries]
}

/** Names that a component can go by. */
export function namesOfCandidate({ component, purl }: Candidate): readonly string[] {
  const { name, source, cpes } = component
  return [lastPart(name), purl?.name, source?.name, ...cpes.map(productOf)].filter((each) => each !== undefined)
}

function nameOf({ nameOf: read }: Ecosystem, purl: PackageUrl): string {
  return read === undefined ? purl.name : read(purl)
}

/** No ecosystem has two packages that differ only in case, and bills of materials are careless about it. */
function isSameName(a: string, b: string): boolean {
  return normalizeName(a) === normalizeName(b)
}

function normalizeName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\.git$/, '')
}

/** An ecosystem that is not known here: only its own package URL can name a package for sure, and nothing orders it. */
function judgeForeign(affected: OsvAffected, named: OsvPackage, candidate: Candidate): Verdict | undefined {
  if (candidate.purl !== undefined && isNamedByPurl(named, candidate.purl))
    return { certainty: 'same', impact: impactOn(affected, candidate.component.version, undefined) }
  return judgeByName(affected, [named.name], candidate)
}

function isNamedByPurl({ purl: stated }: OsvPackage, purl: PackageUrl): boolean {
  return (
    stated !== undefined &&
    stated.type === purl.type &&
    stated.namespace === purl.namespace &&
    isSameName(stated.name, purl.name)
  )
}

interface Packaged extends Candidate {
  readonly purl: PackageUrl
  readonly ecosystem: Ecosystem
}

/** Records of distributions are about source packages of a release; what does not say its release may be of it. */
function judgeDistribution(affected: OsvAffected, named: OsvPackage, packaged: Packaged): Verdict | undefined {
  const { component, purl, ecosystem, distribution } = packaged
  const { namespaces = [] } = ecosystem
  const isOther = purl.namespace !== undefined && !namespaces.includes(purl.namespace)
  if (isOther && KNOWN_NAMESPACES.has(purl.namespace)) return undefined
  const release = releaseRelation(named.release, distributionOf(purl, distribution))
  if (release === 'other') return undefined
  const { source } = component
  const isSource = source !== undefined && isSameName(source.name, named.name)
  const isPackage = isSameName(purl.name, named.name) || affected.binaries.some((name) => isSameName(name, purl.name))
  if (!isSource && !isPackage) return undefined
  const version = (isSource ? source.version : undefined) ?? packageVersion(purl) ?? component.version
  const certainty = release === 'same' && !isOther && purl.namespace !== undefined ? 'same' : 'possible'
  return { certainty, impact: impactOn(affected, version, ecosystem.compare) }
}

/** Namespaces of all distributions: a package of one of them is not of another. */
const KNOWN_NAMESPACES: ReadonlySet<string | undefined> = new Set([
  ...[...ECOSYSTEMS.values()].flatMap(({ namespaces = [] }) => namespaces),
  'fedora',
  'centos',
  'amzn',
  'ol',
  'oracle',
])

function distributionOf(purl: PackageUrl, distribution: Distribution | undefined): string | undefined {
  const stated = purl.qualifiers.get('distro')
  if (stated !== undefined) return stated
  if (distribution === undefined) return undefined
  return distribution.version === undefined ? distribution.name : `${distribution.name}-${distribution.version}`
}

/** The epoch of an RPM stands in a qualifier. */
function packageVersion({ version, qualifiers }: PackageUrl): string | undefined {
  const epoch = qualifiers.get('epoch')
  return version === undefined || epoch === undefined || version.includes(':') ? version : `${epoch}:${version}`
}

/** Where a bill contradicts itself, the version that is worse counts. */
function versionsOf({ component, purl }: Candidate): readonly (string | undefined)[] {
  const stated = [purl?.version, component.version].filter((version) => version !== undefined)
  return stated.length === 0 ? [undefined] : [...new Set(stated)]
}

const BADNESS: Readonly<Record<Impact, number>> = { affected: 2, unknown: 1, unaffected: 0 }

function worst(
  versions: readonly (string | undefined)[],
  affected: OsvAffected,
  ecosystem: Ecosystem | undefined,
): Impact {
  const impacts = versions.map((version) => impactOn(affected, version, ecosystem?.compare))
  return impacts.reduce((a, b) => (BADNESS[b] > BADNESS[a] ? b : a), 'unaffected')
}

/**
 * By name alone: a component without a package URL, or a record that only knows a repository. It may be something else of the
 * same name, so that this is never more than possible.
 */
function judgeByName(affected: OsvAffected, names: readonly string[], candidate: Candidate): Verdict | undefined {
  if (candidate.purl !== undefined && IMAGES.has(candidate.purl.type)) return undefined
  if (!names.some((name) => isCalled(candidate, name))) return undefined
  const ecosystem = ECOSYSTEMS.get(affected.package?.ecosystem ?? '')
  return { certainty: 'possible', impact: worst(versionsOf(candidate), affected, ecosystem) }
}

function isCalled({ component, purl }: Candidate, wanted: string): boolean {
  const { name, group } = component
  const full = normalizeName(wanted)
  const last = lastPart(full)
  // With a group of its own, a component is not the package of another group.
  if (group !== undefined && full !== last)
    return [':', '/'].some((by) => [group, `@${group}`].some((of) => `${of}${by}${name}`.toLowerCase() === full))
  return [name, ...namesOfCandidate({ component, purl, distribution: undefined })].some((each) =>
    [full, last].includes(each.toLowerCase()),
  )
}

function lastPart(name: string): string {
  return normalizeName(name).replace(/^.*[:/]/, '')
}

/** `cpe:2.3:a:vendor:product:…`, `cpe:/a:vendor:product:…` */
function productOf(cpe: string): string | undefined {
  return /^cpe:(?:2\.3:|\/)[aho]:[^:]*:([^:]+)/i.exec(cpe)?.[1]
}

function repositoryNames({ ranges }: OsvAffected): readonly string[] {
  return [...new Set(ranges.flatMap(({ repo }) => (repo === undefined ? [] : lastPart(repo.replace(/\/$/, '')))))]
}
