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
import { loadPublicKey, refuseSecurityKey } from '../keys/reference.js'
import { EMPTY_TRUST, loadTrust, type TrustFlags } from '../trust.js'
import { prepareCompletion } from './completion.js'
import { explainReport } from './explain.js'
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
  /** Whether an error that `judge` threw says something about the entity; otherwise nothing was judged. */
  readonly isVerdict: (error: unknown) => boolean
  /** Begins to load the trusted root, for when there is something else to wait for. */
  readonly preload: () => void
  /** The trusted root; absent where a known key needs none. */
  readonly trust: () => Promise<TrustedRoot | undefined>
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
  const known = flags.key === undefined ? undefined : await loadPublicKey(host, flags.key, signal)
  const policy = policyFromFlags(flags, known)
  const key = known?.key
  const outside = new WeakSet<object>()
  const complete = await prepareCompletion(host, { flags, key, signal, attempt })
  let trust: Promise<TrustedRoot> | undefined
  const load = (): Promise<TrustedRoot> => (trust ??= attempt(loadTrust(host, flags)))
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
  const ignoresLog = flags['insecure-ignore-tlog'] || flags['private-infrastructure']
  const needsNone = policy.kind === 'key' && ignoresLog && !flags['use-signed-timestamps']
  const preload = (): void => {
    if (!needsNone) load().catch(() => undefined) // whoever needs it will hear of the failure
  }
  const isVerdict = (error: unknown): boolean => isCodedError(error) && !outside.has(error)
  return { policy, key, judge, preload, isVerdict, trust: async () => (needsNone ? undefined : await load()) }

  /** Remembers that a failure is not the entity's fault: what is asked for beside it could not be had. */
  async function attempt<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (error instanceof Error) outside.add(error)
      throw error
    }
  }
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
