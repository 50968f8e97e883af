/** What a set of OpenVEX documents says now about one vulnerability in one component of one product. @module */
import type { UnixMillis } from '#time'
import type { PackageUrl } from '../purl/purl.js'
import type { VexComponent, VexDocument, VexProduct, VexStatement, VexStatus } from './document.js'

/** A document with what its attestation says about it. */
export interface AttestedVex {
  readonly document: VexDocument
  /** Who signed; only the same signer takes back what was said. */
  readonly signer: string
  /** When it was signed at the latest, where somebody witnessed that. */
  readonly signedAt: UnixMillis | undefined
}

/** The product that is asked about. */
export interface VexSubject {
  /** `sha256:<hex>` of the image, and of the index that it is in. */
  readonly digests: readonly string[]
  /** Full names of its repositories: `registry.example.com/team/app`. */
  readonly repositories: readonly string[]
}

/** The component in it, by every name that it has. */
export interface VexTarget {
  readonly purls: readonly PackageUrl[]
  readonly hashes: readonly string[]
}

export interface VexJudgement<Attested extends AttestedVex = AttestedVex> {
  readonly status: VexStatus
  readonly statement: VexStatement
  readonly attested: Attested
}

/** The more alarming of two statements of one moment is the one that counts. */
const ALARM: Readonly<Record<VexStatus, number>> = { affected: 3, under_investigation: 2, fixed: 1, not_affected: 0 }

/**
 * The latest statement that is about the vulnerability, the product and the component; undefined if there is none.
 * @param vulnerability every name of it
 */
export function judgeVex<Attested extends AttestedVex>(
  all: readonly Attested[],
  subject: VexSubject,
  { vulnerability, target }: { readonly vulnerability: ReadonlySet<string>; readonly target: VexTarget },
): VexJudgement<Attested> | undefined {
  const found = currentDocuments(all).flatMap((attested) =>
    attested.document.statements
      .filter(({ vulnerabilities }) => vulnerabilities.some((name) => vulnerability.has(name)))
      .filter((statement) => isAbout(statement, subject, target))
      .map((statement) => ({ status: statement.status, statement, attested })),
  )
  found.sort((a, b) => knownSince(b) - knownSince(a) || ALARM[b.status] - ALARM[a.status])
  return found[0]
}

/** Of the versions of one document by one signer, the latest. */
function currentDocuments<Attested extends AttestedVex>(all: readonly Attested[]): readonly Attested[] {
  return all.filter(
    ({ document, signer }) =>
      !all.some(
        (other) =>
          other.signer === signer && other.document.id === document.id && other.document.version > document.version,
      ),
  )
}

/** A statement cannot date itself later than it was signed, or nothing could ever take it back. */
function knownSince({ statement, attested }: VexJudgement): UnixMillis {
  return Math.min(statement.timestamp, attested.signedAt ?? statement.timestamp)
}

/**
 * Without products a statement is about what it is attached to (ATTESTING.md, "Embedding and Inheritance"); with products,
 * about those only.
 */
function isAbout({ products }: VexStatement, subject: VexSubject, target: VexTarget): boolean {
  if (products.length === 0) return true
  return products.some(
    (product) =>
      isSubject(product, subject) &&
      (product.subcomponents.length === 0 || product.subcomponents.some((each) => isTarget(each, target))),
  )
}

function isSubject({ ids, purls, hashes }: VexProduct, { digests, repositories }: VexSubject): boolean {
  return (
    hashes.some((hash) => digests.includes(hash)) ||
    ids.some((id) =>
      digests.some((digest) => id === digest || repositories.some((name) => id === `${name}@${digest}`)),
    ) ||
    ids.some((id) => repositories.includes(id)) ||
    purls.some((purl) => isImage(purl, { digests, repositories }))
  )
}

/**
 * `pkg:oci/app@sha256:…?repository_url=registry.example.com/team/app`. Without a version it is every image of the name, unless a
 * tag or an architecture says which: whether it is this one cannot be told.
 */
function isImage({ type, name, version, qualifiers }: PackageUrl, { digests, repositories }: VexSubject): boolean {
  if (type !== 'oci') return false
  if (version !== undefined) return digests.includes(version)
  if ([...qualifiers.keys()].some((key) => key !== 'repository_url')) return false
  const url = qualifiers
    .get('repository_url')
    ?.replace(/^https?:\/\//, '')
    .replace(/\/$/, '')
  return repositories.some(
    (repository) =>
      repository.slice(repository.lastIndexOf('/') + 1) === name &&
      (url === undefined || url === repository || `${url}/${name}` === repository),
  )
}

function isTarget({ purls, hashes }: VexComponent, target: VexTarget): boolean {
  return (
    hashes.some((hash) => target.hashes.includes(hash)) ||
    purls.some((stated) => target.purls.some((purl) => covers(stated, purl)))
  )
}

/** Whether what a statement names is the package, or more than it: what it leaves open is anything. */
function covers(stated: PackageUrl, purl: PackageUrl): boolean {
  return (
    stated.type === purl.type &&
    stated.namespace === purl.namespace &&
    stated.name === purl.name &&
    (stated.version === undefined || stated.version === purl.version) &&
    [...stated.qualifiers].every(([key, value]) => purl.qualifiers.get(key) === value) &&
    (stated.subpath === undefined || stated.subpath === purl.subpath)
  )
}
