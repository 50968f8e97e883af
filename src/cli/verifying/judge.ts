/** What the verifying commands share: the key, the policy, the trust, and one verification after the other. @module */
import type { PublicKey } from '#crypto/public-key'
import { isCodedError } from '#errors'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Artifact } from '#verify/artifact'
import type { Policy } from '#verify/identity/identity-policy'
import type { Verification } from '#verify/verification'
import { verify } from '#verify/verify'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { loadPublicKey, refuseSecurityKey } from '../keys.js'
import { EMPTY_TRUST, loadTrust, type TrustFlags } from '../trust.js'
import { explainReport } from './explain.js'
import { type IdentityFlags, policyFromFlags } from './policy.js'
import { type EvidenceFlags, requirementsFromFlags } from './requirements.js'

export interface VerifyFlags extends IdentityFlags, EvidenceFlags, TrustFlags {
  readonly key: string | undefined
  readonly sk: boolean
  readonly 'rekor-url': string | undefined
  readonly sct: string | undefined
  readonly 'allow-certificate-chain': boolean
  readonly 'signature-digest-algorithm': string
}

/** A policy and a trust, ready to judge. */
export interface Judge {
  readonly policy: Policy
  readonly key: PublicKey | undefined
  readonly judge: (entity: SignedEntity, artifact: Artifact) => Promise<Verification>
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
  if (flags['signature-digest-algorithm'] !== 'sha256') {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'another digest algorithm cannot be asked for', {
      expected: 'no --signature-digest-algorithm: it follows from the key',
      found: flags['signature-digest-algorithm'],
    })
  }
  if (flags['insecure-ignore-tlog'] || flags['private-infrastructure']) {
    host.terminal.note(
      'WARNING: no transparency log is asked for: a signature that was made in secret is accepted like any other.',
    )
  }
  const key = flags.key === undefined ? undefined : await loadPublicKey(host, flags.key, signal)
  const policy = policyFromFlags(flags, key)
  let trust: Promise<TrustedRoot> | undefined
  const load = (): Promise<TrustedRoot> => (trust ??= loadTrust(host, flags))
  const judge = async (entity: SignedEntity, artifact: Artifact): Promise<Verification> => {
    const requirements = requirementsFromFlags(flags, policy, entity)
    const untrusting =
      policy.kind === 'key' && requirements.transparencyLogs === 0 && requirements.timestampAuthorities === 0
    const trusted = untrusting ? EMPTY_TRUST : await load()
    return await verify({
      entity,
      artifact,
      trust: trusted,
      policy,
      requirements,
      useEntityIntermediates: true,
      now: host.clock(),
    })
  }
  const ignoresLog = flags['insecure-ignore-tlog'] || flags['private-infrastructure']
  const needsNone = policy.kind === 'key' && ignoresLog && !flags['use-signed-timestamps']
  const preload = (): void => {
    if (!needsNone) load().catch(() => undefined) // whoever needs it will hear of the failure
  }
  return { policy, key, judge, preload, trust: async () => (needsNone ? undefined : await load()) }
}

/** On images the certificate comes with the signature; one given by hand would have no effect, so it is refused. */
export function refuseDetachedCertificate(flags: { readonly certificate: string | undefined }): void {
  if (flags.certificate === undefined) return
  throw new UsageError('USAGE_FLAG_CONFLICT', 'the certificate of an image signature cannot be given by hand', {
    found: '--certificate',
    hint: 'say who must have signed with --certificate-identity and --certificate-oidc-issuer; the certificate comes with the signature',
  })
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
