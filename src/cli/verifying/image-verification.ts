/** Verifying everything of one kind that is attached to an image. @module */
import { decodeHex } from '#encoding/hex'
import { parseDigest } from '#formats/oci/digest'
import type {
  Attachment,
  AttachmentKind,
  AttachmentLayout,
  AttachmentOrigin,
  FoundAttachments,
} from '#images/attachment'
import { findAttachments } from '#images/find'
import type { LocatedAttachments } from '#images/locate'
import type { AttachmentReader } from '#images/store'
import type { Artifact } from '#verify/artifact'
import type { Verification } from '#verify/verification'
import { VerificationError } from '#verify/errors'
import type { DigestedImage } from '../images.js'
import type { Host } from '../kit/host.js'
import { explainTo, failureEntry, type Judge } from './judge.js'

/** Something to be judged: what is attached to the image, or a signature that was given by hand. */
export interface Candidate extends Omit<Attachment, 'origin'> {
  readonly origin: Omit<AttachmentOrigin, 'layout'> & { readonly layout: AttachmentLayout | 'detached' }
}

export interface Candidates extends Omit<FoundAttachments, 'attachments'> {
  readonly attachments: readonly Candidate[]
}

/** Something attached that was accepted, with what the claims check made of it. */
export interface Accepted<Claims> {
  readonly attachment: Candidate
  readonly verification: Verification
  readonly claims: Claims
}

export interface Judged<Claims> {
  readonly accepted: readonly Accepted<Claims>[]
  /** Why the others were not accepted, in the order in which they were found. */
  readonly failures: readonly unknown[]
  /** The same as data, for `--output json`. */
  readonly report: readonly unknown[]
  readonly found: Candidates
}

export interface ImageJudging<Claims> {
  readonly host: Host
  readonly images: AttachmentReader
  readonly image: DigestedImage
  /** Where the registry says that attachments are, if it was asked already. */
  readonly located?: Promise<LocatedAttachments> | undefined
  readonly kind: AttachmentKind
  readonly predicateType?: string
  readonly judge: Judge
  /** What the thing has to say besides being signed; throws if it does not. */
  readonly claims: (verification: Verification) => Claims
  /** Whether an attestation must be about the image. */
  readonly anySubject?: boolean
  readonly explain: boolean
  /** What to judge instead of what is attached to the image. */
  readonly found?: Candidates | undefined
}

/** Judges all of it. What cannot be read counts as not accepted, and is told of. */
export async function judgeImage<Claims>(judging: ImageJudging<Claims>): Promise<Judged<Claims>> {
  const { images, image, kind, predicateType } = judging
  const query = { repository: image.repository, digest: image.descriptor.digest, kind, predicateType }
  const found = judging.found ?? (await findAttachments(images, query, judging.located))
  const accepted: Accepted<Claims>[] = []
  const failures: unknown[] = []
  const report: unknown[] = []
  for (const attachment of found.attachments) {
    const outcome = await judgeOne(judging, attachment)
    const { layout, manifest, layer } = attachment.origin
    if (judging.explain)
      explainTo(
        judging.host,
        `Checks of ${layout} ${manifest}:`,
        'error' in outcome ? outcome.error : outcome.accepted.verification,
      )
    if ('error' in outcome) {
      failures.push(outcome.error)
      report.push({ layout, manifest, layer, accepted: false, ...failureEntry(outcome.error) })
    } else {
      accepted.push(outcome.accepted)
      report.push({ layout, manifest, layer, accepted: true, report: outcome.accepted.verification.report })
    }
  }
  for (const { origin, error } of found.unreadable) {
    failures.push(error)
    report.push({
      layout: origin.layout,
      manifest: origin.manifest,
      layer: origin.layer,
      accepted: false,
      ...failureEntry(error),
    })
  }
  return { accepted, failures, report, found }
}

async function judgeOne<Claims>(
  { judge, claims, image, anySubject }: ImageJudging<Claims>,
  attachment: Candidate,
): Promise<{ readonly accepted: Accepted<Claims> } | { readonly error: unknown }> {
  try {
    const verification = await judge.judge(attachment.entity, artifactOf(attachment, image, anySubject === true))
    try {
      return { accepted: { attachment, verification, claims: claims(verification) } }
    } catch (error) {
      // The claims are checked last; the report of what was checked before belongs to the refusal.
      throw error instanceof VerificationError
        ? new VerificationError(error.code, error.message, { ...detailOf(error), report: verification.report })
        : error
    }
  } catch (error) {
    if (judge.isVerdict(error)) return { error }
    throw error
  }
}

function detailOf({
  expected,
  found,
  hint,
  cause,
}: VerificationError): ConstructorParameters<typeof VerificationError>[2] {
  return { expected, found, hint, cause }
}

function artifactOf({ payload, entity }: Candidate, { descriptor }: DigestedImage, anySubject: boolean): Artifact {
  if (payload !== undefined) return { kind: 'bytes', bytes: payload }
  if (anySubject && entity.content.kind === 'dsse') return { kind: 'unsafe-any-subject' }
  const { algorithm, hex } = parseDigest(descriptor.digest)
  return { kind: 'digest', digests: { [algorithm]: decodeHex(hex) } }
}
