/** What the verifying commands share: the key, the policy, the trust, and one verification after the other. @module */
import type { PublicKey } from '#crypto/public-key'
import { isCodedError } from '#errors'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Artifact } from '#verify/artifact'
import type { Policy } from '#verify/identity/identity-policy'
import type { Verification } from '#verify/verification'
import { VerificationError } from '#verify/errors'
import { verify } from '#verify/verify'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { loadPublicKey, refuseSecurityKey } from '../keys.js'
import { EMPTY_TRUST, loadTrust, type TrustFlags } from '../trust.js'
import { explainReport } from './explain.js'
import { loadGivenCertificate, withGivenCertificate } from './given-certificate.js'
import type { LogLookup } from './log-lookup.js'
import { type IdentityFlags, policyFromFlags, type SignatureDigest } from './policy.js'
import { type EvidenceFlags, requirementsFromFlags } from './requirements.js'

export interface VerifyFlags extends IdentityFlags, EvidenceFlags, TrustFlags {
  readonly key: string | undefined
  readonly sk: boolean
  readonly 'rekor-url': string | undefined
  readonly sct: string | undefined
  readonly certificate: string | undefined
  readonly 'allow-certificate-chain': boolean
  readonly 'signature-digest-algorithm': SignatureDigest | undefined
}

/** A policy and a trust, ready to judge. */
export interface Judge {
  readonly policy: Policy
  readonly key: PublicKey | undefined
  readonly judge: (entity: SignedEntity, artifact: Artifact) => Promise<Verification>
  /** Begins to load the trusted root, for when there is something else to wait for. */
  readonly preload: () => void
}

/**
 * Prepares what the flags ask for. The trusted root is loaded when the first entity needs it: a known key, without a log
 * and without timestamps, needs none and must not go to the network for it.
 */
export async function prepareJudge(host: Host, flags: VerifyFlags, signal: AbortSignal): Promise<Judge> {
  refuseSecurityKey(flags)
  if (flags.sct !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'a detached SCT cannot be verified', {
      hint: 'certificates carry their SCTs; leave out --sct, or use --insecure-ignore-sct',
    })
  }
  if (flags.key !== undefined && flags.certificate !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'only one of --key, --sk and --certificate may be given', {
      hint: 'a key is known beforehand, a certificate is verified: which of them is it?',
    })
  }
  if (flags['insecure-ignore-tlog'] || flags['private-infrastructure']) {
    host.terminal.note(
      'WARNING: no transparency log is asked for: a signature that was made in secret is accepted like any other.',
    )
  }
  const key = flags.key === undefined ? undefined : await loadPublicKey(host, flags.key, signal)
  const policy = policyFromFlags(flags, key)
  const complete = await completion(host, { flags, key, signal })
  let trust: Promise<TrustedRoot> | undefined
  const load = (): Promise<TrustedRoot> => (trust ??= loadTrust(host, flags))
  const judge = async (bare: SignedEntity, artifact: Artifact): Promise<Verification> => {
    const requirements = requirementsFromFlags(flags, policy, bare)
    const entity = await complete(bare, { artifact, logged: requirements.transparencyLogs > 0 })
    const untrusting =
      policy.kind === 'key' && requirements.transparencyLogs === 0 && requirements.timestampAuthorities === 0
    const trusted = untrusting ? EMPTY_TRUST : await load()
    const request = { entity, artifact, trust: trusted, policy, requirements, useEntityIntermediates: true }
    try {
      return await verify({ ...request, now: host.clock() })
    } catch (error) {
      const unlogged = requirements.transparencyLogs > 0 && entity.logEntries.length === 0
      throw unlogged ? withLogHint(error, flags) : error
    }
  }
  const preload = (): void => {
    if (policy.kind === 'key' && (flags['insecure-ignore-tlog'] || flags['private-infrastructure'])) return
    load().catch(() => undefined) // whoever needs it will hear of the failure
  }
  return { policy, key, judge, preload }
}

/** Where an entry could come from, if the lack of one is what is wrong. */
function withLogHint(error: unknown, { 'rekor-url': url, offline }: VerifyFlags): unknown {
  if (!(error instanceof VerificationError) || !ENTRY_WOULD_HELP.has(error.code)) return error
  const { code, expected, report } = error
  const asked = url !== undefined && offline !== true
  return new VerificationError(code, 'the signature came without a transparency log entry', {
    expected,
    found: asked ? `none, and none at ${url}` : 'none',
    hint: asked
      ? 'was it logged there, with this very certificate or key?'
      : 'name the log that has it with --rekor-url, or take it without one with --insecure-ignore-tlog',
    report,
  })
}

/** An entry of an old log also tells the time, which is asked for first. */
const ENTRY_WOULD_HELP: ReadonlySet<string> = new Set(['VERIFY_LOG_THRESHOLD', 'VERIFY_TIME_MISSING'])

interface Completing {
  readonly artifact: Artifact
  /** Whether a log entry is asked for. */
  readonly logged: boolean
}

interface CompletionAsk {
  readonly flags: VerifyFlags
  readonly key: PublicKey | undefined
  readonly signal: AbortSignal
}

/** What signatures of old clients lack and the flags add: the certificate, and the log entry. */
async function completion(
  host: Host,
  { flags, key, signal }: CompletionAsk,
): Promise<(entity: SignedEntity, completing: Completing) => Promise<SignedEntity>> {
  const { certificate, 'rekor-url': url, offline } = flags
  const given = certificate === undefined ? undefined : await loadGivenCertificate(host, certificate, signal)
  let lookup: Promise<LogLookup> | undefined
  return async (entity, { artifact, logged }) => {
    const certified = given === undefined ? entity : withGivenCertificate(entity, given)
    if (!logged || certified.logEntries.length > 0 || url === undefined || offline === true) return certified
    lookup ??= import('./log-lookup.js').then(async (module) => await module.openLogLookup(host, { url, key, signal }))
    return await (
      await lookup
    )(certified, artifact)
  }
}

/** With `--explain`: the report, of a success or out of an error, on standard error. */
export function explainTo(host: Host, heading: string, outcome: unknown): void {
  const report = reportOf(outcome)
  if (report !== undefined) host.terminal.note(`${heading}\n${explainReport(report)}`)
}

function reportOf(outcome: unknown): Verification['report'] | undefined {
  if (typeof outcome !== 'object' || outcome === null || !('report' in outcome)) return undefined
  return Array.isArray(outcome.report) && outcome.report.length > 0
    ? (outcome.report as Verification['report'])
    : undefined
}

/** An error as data, with its report where it has one. */
export function failureEntry(error: unknown): Readonly<Record<string, unknown>> {
  if (!isCodedError(error)) throw error
  const { code, message, expected, found, hint } = error
  return {
    code,
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    ...(hint === undefined ? {} : { hint }),
    report: reportOf(error) ?? [],
  }
}
