/**
 * Who signed: a certificate that leads to a trusted authority and names an allowed identity, or the key of the policy
 * (client-spec §4.3).
 *
 * @module
 */
import type { Algorithm } from '#crypto/algorithms'
import { timeRangeContains } from '#formats/trusted-root/time-range'
import type { TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import { certificateKey } from '#formats/x509/certificate-key'
import { formatRfc3339 } from '#time'
import { candidatePaths } from './certificate/candidate-paths.js'
import { verifyCertificateTimestamps } from './certificate/certificate-timestamps.js'
import { formatRange, verifyCertificateAtTimes } from './certificate/verified-certificate.js'
import type { VerifiedCertificate } from './certificate/verified-certificate.js'
import { VerificationError } from './errors.js'
import { certificateIdentity } from './identity/certificate-identity.js'
import type { IdentityPolicy, KeyPolicy, Policy, UnsafeAnyIdentityPolicy } from './identity/identity-policy.js'
import { matchIdentity } from './identity/match-identity.js'
import type { Signer } from './log/entry-binding.js'
import type { ReportBuilder } from './report.js'
import type { Requirements } from './requirements.js'
import type { VerifiedTime } from './time/verified-time.js'
import type { VerifiedIdentity, VerifiedKey } from './verification.js'

/** A signer who may be believed. */
export interface VerifiedSigner {
  readonly verified: VerifiedIdentity | VerifiedKey
  /** What log entries must name. */
  readonly binding: Signer
  /** The only algorithm the key may have been used with, where the policy says so. */
  readonly algorithm: Algorithm | undefined
  readonly certificateLogs: readonly TrustedLog[]
}

/** What a signer is judged by. */
export interface SignerContext {
  readonly policy: Policy
  readonly trust: TrustedRoot
  readonly requirements: Requirements
  readonly times: readonly VerifiedTime[]
  /** Certificates that came with the signature and may help to build a path. */
  readonly intermediates: readonly Certificate[]
  readonly report: ReportBuilder
}

/**
 * Verifies the signer.
 * @throws VerificationError with report: `VERIFY_KEY_VALIDITY`, `VERIFY_CERTIFICATE_PATH`, `VERIFY_CERTIFICATE_TIME`, `VERIFY_SCT`, `VERIFY_IDENTITY`, …
 */
export async function verifySigner(leaf: Certificate | undefined, context: SignerContext): Promise<VerifiedSigner> {
  const { policy, report } = context
  if (policy.kind === 'key') return verifyKey(policy, context)
  report.skipped('key-validity', 'a certificate signed, not a managed key')
  if (leaf === undefined) throw new VerificationError('VERIFY_CERTIFICATE_EXPECTED', 'there is no certificate')
  return verifyCertificate(leaf, policy, context)
}

function verifyKey(policy: KeyPolicy, { report, times }: SignerContext): VerifiedSigner {
  const { key, algorithm, certificate, validFor } = policy
  const outside = validFor === undefined ? undefined : times.find((time) => !timeRangeContains(validFor, time.at))
  if (validFor !== undefined && outside !== undefined) {
    const error = new VerificationError('VERIFY_KEY_VALIDITY', 'the key was not in use when the signature was made', {
      expected: formatRange(validFor),
      found: `${formatRfc3339(outside.at)} by ${outside.description}`,
    })
    throw report.failed({ name: 'key-validity', code: error.code }, error)
  }
  if (validFor === undefined) report.skipped('key-validity', 'the policy states no period of use')
  else if (times.length === 0) report.skipped('key-validity', 'no verified time says when the signature was made')
  else report.passed('key-validity', formatRange(validFor))
  for (const name of ['certificate-path', 'certificate-timestamp', 'identity'] as const) {
    report.skipped(name, 'a managed key signed, there is no certificate')
  }
  return { verified: { kind: 'key', key }, binding: { kind: 'key', key, certificate }, algorithm, certificateLogs: [] }
}

async function verifyCertificate(
  leaf: Certificate,
  policy: IdentityPolicy | UnsafeAnyIdentityPolicy,
  context: SignerContext,
): Promise<VerifiedSigner> {
  const { report, requirements, trust } = context
  const certified = await report.check({ name: 'certificate-path', code: 'VERIFY_CERTIFICATE_PATH' }, async () => {
    return verifyPath(leaf, context)
  })
  report.passed('certificate-path', describePath(certified))

  const threshold = requirements.certificateLogs
  const certificateLogs = await report.check({ name: 'certificate-timestamp', code: 'VERIFY_SCT' }, async () => {
    return threshold === 0 ? [] : verifyCertificateTimestamps(certified, trust.ctlogs, threshold)
  })
  if (threshold === 0) report.skipped('certificate-timestamp', 'no certificate transparency log is asked for')
  else report.passed('certificate-timestamp', certificateLogs.map((log) => log.baseUrl).join(', '))

  const { identity, matched } = await report.check({ name: 'identity', code: 'VERIFY_IDENTITY' }, () => {
    const named = certificateIdentity(leaf)
    return { identity: named, matched: policy.kind === 'identities' ? matchIdentity(named, policy) : undefined }
  })
  const who = `${identity.subjects.map(({ value }) => value).join(', ')} by ${identity.issuer ?? 'no issuer'}`
  if (matched === undefined) report.skipped('identity', `any identity is taken, as asked for: ${who}`)
  else report.passed('identity', who)

  return {
    verified: {
      kind: 'certificate',
      certificate: leaf,
      path: certified.path,
      identity,
      ...(matched !== undefined && { matched }),
    },
    binding: { kind: 'certificate', certificate: leaf.der, key: certificateKey(leaf) },
    algorithm: undefined,
    certificateLogs,
  }
}

async function verifyPath(leaf: Certificate, context: SignerContext): Promise<VerifiedCertificate> {
  const [first, ...rest] = context.times
  // establishTimes gives at least one time for a certificate; without any there would be nothing to hold it against.
  if (first === undefined)
    throw new VerificationError('VERIFY_TIME_MISSING', 'there is no time to judge the certificate at')
  const { trust, intermediates } = context
  const authorities = trust.certificateAuthorities
  const paths = await candidatePaths({ leaf, purpose: 'code-signing', authorities, untrusted: intermediates })
  certificateKey(leaf) // refuses keys of unsupported kinds here, where the report says it best
  return verifyCertificateAtTimes(paths, [first, ...rest])
}

function describePath({ path, times }: VerifiedCertificate): string {
  const names = path.slice(1).map((certificate) => certificate.subject.text)
  return `issued by ${names.join(', by ')}; valid at ${times.map((time) => formatRfc3339(time.at)).join(', ')}`
}
