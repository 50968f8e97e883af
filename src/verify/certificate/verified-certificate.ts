/**
 * A certificate that leads to a trusted authority at every verified time (client-spec §4.3, the "hybrid model").
 *
 * @module
 */
import { formatRfc3339 } from '#time'
import type { UnixMillis } from '#time'
import { timeRangeContains } from '#formats/trusted-root/time-range'
import type { TimeRange } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import { VerificationError } from '../errors.js'
import type { VerifiedTime } from '../time/verified-time.js'
import type { CandidatePath } from './candidate-paths.js'
import { describe } from './path-rules.js'

declare const verified: unique symbol

/** A certificate with a path that held at every verified time. Only {@link verifyCertificateAtTimes} makes one. */
export interface VerifiedCertificate {
  readonly [verified]: true
  readonly certificate: Certificate
  /** The direct issuer on the verified path: what an SCT is bound to. */
  readonly issuer: Certificate
  /** The leaf first, the anchor last, as it held at the first of the times. */
  readonly path: readonly Certificate[]
  readonly times: readonly [VerifiedTime, ...VerifiedTime[]]
}

/**
 * Requires some path to hold at each of the times.
 * @throws VerificationError `VERIFY_CERTIFICATE_TIME`
 */
export function verifyCertificateAtTimes(
  paths: readonly [CandidatePath, ...CandidatePath[]],
  times: readonly [VerifiedTime, ...VerifiedTime[]],
): VerifiedCertificate {
  const [first, ...rest] = times
  const path = pathAt(paths, first)
  for (const time of rest) pathAt(paths, time)
  const [certificate, issuer] = path.certificates
  if (certificate === undefined || issuer === undefined) {
    throw new VerificationError('VERIFY_CERTIFICATE_PATH', 'a path needs a leaf and an authority')
  }
  return { certificate, issuer, path: path.certificates, times } as unknown as VerifiedCertificate
}

function pathAt(paths: readonly [CandidatePath, ...CandidatePath[]], time: VerifiedTime): CandidatePath {
  const found = paths.find((path) => pathProblem(path, time.at) === undefined)
  if (found !== undefined) return found
  throw new VerificationError('VERIFY_CERTIFICATE_TIME', 'the certificate was not valid when the signature was made', {
    ...pathProblem(paths[0], time.at),
    hint: `the time comes from ${time.description}`,
  })
}

/** Why a path does not hold at a time, or undefined if it does. Every end of every range is included (RFC 5280 §4.1.2.5). */
export function pathProblem(path: CandidatePath, at: UnixMillis): { expected: string; found: string } | undefined {
  const { certificates, authority } = path
  const found = formatRfc3339(at)
  if (!timeRangeContains(authority.validFor, at)) {
    return {
      expected: `a time in which ${authority.uri || 'the authority'} was trusted: ${formatRange(authority.validFor)}`,
      found,
    }
  }
  for (const certificate of certificates) {
    if (at >= certificate.notBefore && at <= certificate.notAfter) continue
    const range = formatRange({ start: certificate.notBefore, end: certificate.notAfter })
    return { expected: `a time in the validity of ${describe(certificate)}: ${range}`, found }
  }
  return undefined
}

/** A time range in a message. */
export function formatRange({ start, end }: TimeRange): string {
  return `${start === undefined ? '…' : formatRfc3339(start)} to ${end === undefined ? '…' : formatRfc3339(end)}`
}
