/**
 * All time-stamps of an entity, and how many authorities they come from.
 *
 * @module
 */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { TrustedAuthority, TrustedRoot } from '#formats/trusted-root/trusted-root'
import { formatRfc3339 } from '#time'
import { VerificationError } from '../errors.js'
import type { ReportBuilder } from '../report.js'
import type { Requirements } from '../requirements.js'
import { UNKNOWN_AUTHORITY, verifyTimestamp } from './timestamp.js'
import type { VerifiedTime } from './verified-time.js'

/**
 * Verifies every time-stamp, whether asked for or not: one that contradicts the certificate must be seen.
 * @throws a coded error from the report, `VERIFY_TIMESTAMP` or `VERIFY_TIMESTAMP_THRESHOLD`
 */
export async function verifyTimestamps(
  responses: readonly Uint8Array[],
  stampable: readonly Uint8Array[],
  context: { readonly trust: TrustedRoot; readonly requirements: Requirements; readonly report: ReportBuilder },
): Promise<readonly VerifiedTime[]> {
  const { trust, requirements, report } = context
  const times: VerifiedTime[] = []
  for (const [index, response] of responses.entries()) {
    const of = `timestamps[${String(index)}]`
    try {
      const time = await verifyTimestamp(response, stampable, trust.timestampAuthorities)
      if (time === UNKNOWN_AUTHORITY) {
        report.skipped('timestamp', 'it is not by an authority of the trusted root', of)
      } else {
        times.push(time)
        report.passed('timestamp', `${formatRfc3339(time.at)} by ${time.description}`, of)
      }
    } catch (error) {
      throw report.failed({ name: 'timestamp', of, code: 'VERIFY_TIMESTAMP' }, error)
    }
  }
  if (responses.length === 0) report.skipped('timestamp', 'there is no timestamp')
  const authorities = new Set(
    times.map(({ source }) => (source.kind === 'timestamp-authority' ? authorityId(source.authority) : '')),
  )
  if (authorities.size < requirements.timestampAuthorities) {
    const error = new VerificationError('VERIFY_TIMESTAMP_THRESHOLD', 'too few authorities timestamped the signature', {
      expected: `${String(requirements.timestampAuthorities)} distinct authorities of the trusted root`,
      found: `${String(authorities.size)}, in ${String(responses.length)} timestamps`,
      hint: 'sign with a timestamp authority that the trusted root knows',
    })
    throw report.failed({ name: 'timestamp', code: error.code }, error)
  }
  return times
}

/** Who an authority is: two entries of the trusted root for one operator or address are one witness. */
export function authorityId(authority: TrustedAuthority): string {
  const anchor = authority.chain.at(-1)
  return authority.operator ?? (authority.uri || (anchor === undefined ? '' : encodeHex(sha256(anchor.der))))
}
