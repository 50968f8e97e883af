/**
 * Verification of a signed entity, as the client specification orders it (sigstore/architecture-docs client-spec.md §4).
 *
 * @module
 */
import type { Algorithm } from '#crypto/algorithms'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { UnixMillis } from '#time'
import { ArtifactView } from './artifact.js'
import type { Artifact } from './artifact.js'
import { checkContent } from './content/content.js'
import { signatureAlgorithms, verifyContentSignature } from './content/signature.js'
import { checkEntity } from './entity.js'
import type { CheckedEntity } from './entity.js'
import { checkPolicy } from './identity/identity-policy.js'
import type { Policy } from './identity/identity-policy.js'
import type { Signing } from './log/entry-binding.js'
import { verifyLogEntries, verifyPromises } from './log/log-entries.js'
import type { PromisedLogEntry } from './log/log-entries.js'
import { ReportBuilder } from './report.js'
import { completeRequirements } from './requirements.js'
import type { Requirements } from './requirements.js'
import { verifySigner } from './signer.js'
import type { VerifiedSigner } from './signer.js'
import { establishTimes } from './time/establish-times.js'
import { verifyTimestamps } from './time/timestamps.js'
import type { VerifiedTime } from './time/verified-time.js'
import { verifiedResult } from './verification.js'
import type { Verification } from './verification.js'

/** A verification to be made. */
export interface VerifyRequest {
  readonly entity: SignedEntity
  readonly artifact: Artifact
  readonly trust: TrustedRoot
  /** Who must have signed. There is no default. */
  readonly policy: Policy
  /** How much evidence is asked for; what is left out is as {@link completeRequirements} says. */
  readonly requirements?: Partial<Requirements>
  /** Let certificates that came with the signature help to reach a trust anchor; by default only those of the trusted root do. */
  readonly useEntityIntermediates?: boolean
  /** The current time; used only where the requirements name it. */
  readonly now?: UnixMillis
}

/**
 * Verifies that the signer whom the policy names signed the artifact, at a time when its certificate or key was valid,
 * and that the required witnesses saw it.
 *
 * Nothing of the entity is to be believed unless it is in the result.
 * @throws VerificationError with the report of every check
 */
export async function verify(request: VerifyRequest): Promise<Verification> {
  const { policy, trust, now } = request
  checkPolicy(policy)
  const requirements = completeRequirements(policy, request.requirements)
  const artifact = new ArtifactView(request.artifact)
  const report = new ReportBuilder()
  const context: Context = { trust, policy, requirements, artifact, report, ...(now !== undefined && { now }) }

  const checked = await report.check({ name: 'entity', code: 'VERIFY_ENTITY' }, () =>
    checkEntity(request.entity, policy),
  )
  report.passed('entity', describe(checked))
  const { times, promised } = await verifyTimes(checked, context)
  const [leaf, ...others] = checked.certificates ?? []
  const intermediates = request.useEntityIntermediates === true ? others : []
  const signer = await verifySigner(leaf, { policy, trust, requirements, times, intermediates, report })
  const signing = await describeSigning(checked, signer, context)
  const logEntries = await verifyLogs(promised, { signing, times }, context)
  const algorithm = await verifySignature(signing, logEntries, report)
  const content = await report.check({ name: 'artifact', code: 'VERIFY_STATEMENT' }, () => {
    return checkContent(checked.entity.content, artifact, report)
  })
  const { verified, certificateLogs } = signer
  return verifiedResult({
    signer: verified,
    algorithm,
    content,
    times,
    logEntries,
    certificateLogs,
    report: report.finish(),
  })
}

interface Context {
  readonly trust: TrustedRoot
  readonly policy: Policy
  readonly requirements: Requirements
  readonly artifact: ArtifactView
  readonly now?: UnixMillis
  readonly report: ReportBuilder
}

interface Times {
  readonly times: readonly VerifiedTime[]
  readonly promised: readonly PromisedLogEntry[]
}

/** Client-spec §4.2. */
async function verifyTimes({ entity, stampable }: CheckedEntity, context: Context): Promise<Times> {
  const { trust, requirements, report, policy, now } = context
  const stamped = await verifyTimestamps(entity.timestamps, stampable, { trust, requirements, report })
  if (requirements.transparencyLogs === 0) report.skipped('log-promise', NO_LOG)
  const promised = requirements.transparencyLogs === 0 ? [] : await verifyPromises(entity.logEntries, trust, report)
  const promises = promised.flatMap(({ promise }) => promise ?? [])
  const times = await report.check({ name: 'verified-time', code: 'VERIFY_TIME_MISSING' }, () => {
    return establishTimes([...stamped, ...promises], { requirements, policy, now, report })
  })
  return { times, promised }
}

async function describeSigning(
  checked: CheckedEntity,
  signer: VerifiedSigner,
  { artifact, report }: Context,
): Promise<Signing> {
  const { content } = checked.entity
  const algorithms = await report.check({ name: 'signature', code: 'VERIFY_ALGORITHM' }, () => {
    return signatureAlgorithms(signer.binding.key, content, signer.algorithm)
  })
  return { content, signature: checked.signature, signer: signer.binding, artifact, algorithms }
}

type LogEntries = Awaited<ReturnType<typeof verifyLogEntries>>

/** Client-spec §4.4. */
async function verifyLogs(
  promised: readonly PromisedLogEntry[],
  { signing, times }: { readonly signing: Signing; readonly times: readonly VerifiedTime[] },
  { trust, requirements, report }: Context,
): Promise<LogEntries> {
  const threshold = requirements.transparencyLogs
  if (threshold > 0) return verifyLogEntries(promised, { signing, trust, times, threshold, report })
  for (const name of ['log-inclusion', 'log-entry-binding', 'log-threshold'] as const) report.skipped(name, NO_LOG)
  return []
}

/** Client-spec §4.5. */
async function verifySignature(signing: Signing, logEntries: LogEntries, report: ReportBuilder): Promise<Algorithm> {
  // An entry that states the algorithm settles it: the log has checked the signature under that one.
  const stated = logEntries.flatMap((entry) => entry.algorithm ?? [])
  const algorithms = signing.algorithms.filter((algorithm) => stated.every((other) => other === algorithm))
  const algorithm = await report.check({ name: 'signature', code: 'VERIFY_SIGNATURE' }, () => {
    return verifyContentSignature({ ...signing, algorithms })
  })
  report.passed('signature', algorithm.name)
  return algorithm
}

const NO_LOG = 'no transparency log is asked for'

function describe({ entity }: CheckedEntity): string {
  const content = entity.content.kind === 'dsse' ? 'an envelope' : 'a signature'
  const signer = entity.key.kind === 'certificates' ? 'a certificate' : 'a key'
  const [entries, timestamps] = [entity.logEntries.length, entity.timestamps.length]
  return `${content} by ${signer}, ${String(entries)} log ${entries === 1 ? 'entry' : 'entries'}, ${String(timestamps)} timestamp${timestamps === 1 ? '' : 's'}`
}
