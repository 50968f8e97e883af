/** What is attached to one manifest: verified, read, and kept in the cache. @module */
import { decodeHex } from '#encoding/hex'
import { isCodedError, type CodedError } from '#errors'
import { parseDigest } from '#formats/oci/digest'
import { ANNOTATIONS } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { isVexPredicateType } from '#formats/openvex/document'
import type { Attachment } from '#images/attachment'
import { blobsOf, readAttachments, type ReadAttachment } from '#images/find'
import { locateAttachments, type AttachmentPlace } from '#images/locate'
import type { AttachmentReader } from '#images/store'
import type { Artifact } from '#verify/artifact'
import { entryKey, partialKey, type EntryStore } from '../cache/entries.js'
import { attestationHeaders, type AttestationHeader, type StoredAttestation } from '../cache/entry.js'
import type { AttachedTo, IgnoredAttestation, SbomSummary, Unknown, VexSummary } from '../model.js'
import type { TrustPorts } from '../trust.js'
import type { FetchGate } from './fetch-gate.js'
import { isInterestingType, judgeAttestation } from './judge-attestation.js'

export interface ExaminePorts {
  readonly images: AttachmentReader
  readonly trust: TrustPorts
  readonly entries: EntryStore
  readonly gate: FetchGate
}

/** A manifest, and where what is attached to it may be. */
export interface Subject {
  readonly repositories: readonly Repository[]
  readonly digest: string
  readonly attachedTo: AttachedTo
}

/** What was found on one manifest. */
export interface ExaminedSubject {
  readonly sboms: readonly SbomSummary[]
  readonly vex: readonly VexSummary[]
  readonly ignored: readonly IgnoredAttestation[]
  /** Types of other attestations that are there. */
  readonly others: readonly string[]
  /** Something that could have been a pinned signer's bill of materials was not seen, or not understood. */
  readonly gap: Unknown | undefined
}

/** Of one manifest. Whoever may push could attach any number; looking at all of them would be for ever. */
const MAX_PLACES = 200

/**
 * Looks at everything that is attached to a manifest and may be a bill of materials or an OpenVEX document. What the cache
 * has under the same trust is not fetched again.
 * @throws RegistryError, HttpError where a list cannot be had
 */
export async function examineSubject(ports: ExaminePorts, subject: Subject): Promise<ExaminedSubject> {
  const { repositories, digest } = subject
  const query = { digest, kind: 'attestation', predicateType: isInterestingType } as const
  const located = await Promise.all(
    repositories.map(async (repository) => await locateAttachments(ports.images, { ...query, repository })),
  )
  const places = distinctPlaces(located.flatMap((each) => each.places))
  const examined: ExaminedPlace[] = []
  // One after the other: how much one image has attached must not decide how much memory this takes.
  for (const place of places.slice(0, MAX_PLACES)) examined.push(await examinePlace(ports, subject, place))
  const detail = `only ${String(MAX_PLACES)} of ${String(places.length)} attestations were looked at`
  const skipped: readonly Unknown[] = places.length > MAX_PLACES ? [{ reason: 'ATTACHMENTS_SKIPPED', detail }] : []
  return {
    sboms: examined.flatMap(({ sboms }) => sboms),
    vex: examined.flatMap(({ vex }) => vex),
    ignored: examined.flatMap(({ ignored }) => ignored),
    others: [...new Set(located.flatMap(({ passedOver }) => passedOver))],
    gap: [...examined.flatMap(({ gap }) => gap ?? []), ...skipped][0],
  }
}

/** The same manifest may be found in two repositories. */
function distinctPlaces(places: readonly AttachmentPlace[]): readonly AttachmentPlace[] {
  return [...new Map(places.map((place) => [attestationOf(place), place] as const)).values()]
}

/** The digest that stands for an attestation: the manifest that holds it, and at a tag also which layer. */
function attestationOf(place: AttachmentPlace): string {
  return place.layout === 'referrer' ? place.descriptor.digest : `${place.manifest}#${place.layer.digest}`
}

type ExaminedPlace = Omit<ExaminedSubject, 'others'>

async function examinePlace(ports: ExaminePorts, subject: Subject, place: AttachmentPlace): Promise<ExaminedPlace> {
  const { images, trust, entries, gate } = ports
  const key = entryKey({ fingerprint: trust.fingerprint, digest: subject.digest, place })
  const { attachedTo } = subject
  const attestation = attestationOf(place)
  const known = await entries.read(key)
  if (known !== undefined) {
    const whole = summaries(attestationHeaders(known), { key, attachedTo, attestation })
    return { ...whole, ignored: [], gap: undefined }
  }
  return await gate.run(blobsOf(images), async (blobs) => {
    const read = await readAttachments(images, place, {
      kind: 'attestation',
      predicateType: isInterestingType,
      blobs,
    })
    const outcomes: Outcome[] = []
    for (const each of read)
      outcomes.push(await outcomeOf(trust, each, { place, artifact: artifactOf(subject.digest) }))
    const accepted = outcomes.flatMap((outcome) => outcome.accepted ?? [])
    const [gap] = outcomes.flatMap((outcome) => outcome.gap ?? [])
    const storedAs = gap === undefined ? key : partialKey(key)
    if (accepted.length > 0) await entries.write(storedAs, accepted)
    return {
      ...summaries(accepted, { key: storedAs, attachedTo, attestation }),
      ignored: outcomes.flatMap(({ ignored }) => ignored ?? []),
      gap,
    }
  })
}

interface Outcome {
  readonly accepted?: StoredAttestation | undefined
  readonly ignored?: IgnoredAttestation
  readonly gap?: Unknown
}

async function outcomeOf(
  trust: TrustPorts,
  read: ReadAttachment,
  { place, artifact }: { readonly place: AttachmentPlace; readonly artifact: Artifact },
): Promise<Outcome> {
  const attestation = attestationOf(place)
  if ('error' in read) {
    const ignored = ignoredFor(read.error, { attestation, predicateType: '' })
    // Garbage that anybody can attach leaves no gap; what could not be fetched may be anything.
    const isGarbage = !/^(?:HTTP|REGISTRY|EXAMINE)_/.test(read.error.code)
    return isGarbage ? { ignored } : { ignored, gap: { reason: 'REGISTRY_FAILED', detail: read.error.message } }
  }
  const predicateType = statedType(read)
  try {
    const { accepted, unreadable } = await judgeAttestation(trust, {
      entity: read.entity,
      artifact,
      isVex: isVexPredicateType(predicateType),
    })
    if (unreadable === undefined) return { accepted }
    const gap: Unknown = { reason: 'SBOM_UNREADABLE', detail: describe(unreadable) }
    return { ignored: ignoredFor(unreadable, { attestation, predicateType }), gap }
  } catch (error) {
    if (isCodedError(error)) return { ignored: ignoredFor(error, { attestation, predicateType }) }
    throw error
  }
}

/** As an annotation says, which nobody signed. */
function statedType({ annotations }: Attachment): string {
  return annotations[ANNOTATIONS.bundlePredicateType] ?? annotations[ANNOTATIONS.predicateType] ?? ''
}

function ignoredFor(
  error: CodedError,
  place: Pick<IgnoredAttestation, 'attestation' | 'predicateType'>,
): IgnoredAttestation {
  return { ...place, code: error.code, message: describe(error) }
}

/** What was found is often the signer's own text; it is cut, and made harmless where it is shown. */
function describe({ message, found }: CodedError): string {
  return found === undefined ? message : `${message}: ${found.slice(0, 300)}`
}

function artifactOf(digest: string): Artifact {
  const { algorithm, hex } = parseDigest(digest)
  return { kind: 'digest', digests: { [algorithm]: decodeHex(hex) } }
}

function summaries(
  attestations: readonly AttestationHeader[],
  place: Pick<SbomSummary, 'key' | 'attachedTo' | 'attestation'>,
): Pick<ExaminedPlace, 'sboms' | 'vex'> {
  const sboms: SbomSummary[] = []
  const vex: VexSummary[] = []
  for (const [at, each] of attestations.entries()) {
    const { signer, signedAt } = each
    const common = { ...place, at, signer, signedAt }
    if (each.kind === 'vex') vex.push({ ...common, id: each.id, statements: each.statements })
    else {
      const { format, version, completeness, contained, count } = each
      sboms.push({ ...common, format, version, completeness, contained, components: count })
    }
  }
  return { sboms, vex }
}
