/**
 * Signed certificate timestamps inside the certificate: it was submitted to public logs (client-spec §4.3, RFC 6962 §3.2).
 *
 * @module
 */
import { isCodedError } from '#errors'
import { parseSctList } from '#formats/sct/sct'
import type { SignedCertificateTimestamp } from '#formats/sct/sct'
import { precertEntry } from '#formats/sct/sct-entry'
import type { SctEntry } from '#formats/sct/sct-entry'
import { verifySct } from '#formats/sct/verify-sct'
import { timeRangeContains } from '#formats/trusted-root/time-range'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { VerificationError } from '../errors.js'
import { logIdentity, logsById } from '../log/trusted-log.js'
import type { VerifiedCertificate } from './verified-certificate.js'

/**
 * Requires promises of enough distinct trusted logs, and gives these, each once. SCTs of unknown logs are passed over; a wrong one of a known log is not.
 * @throws VerificationError `VERIFY_SCT`, `VERIFY_SCT_THRESHOLD`; SctError
 */
export async function verifyCertificateTimestamps(
  verified: VerifiedCertificate,
  ctlogs: readonly TrustedLog[],
  threshold: number,
): Promise<readonly TrustedLog[]> {
  const { certificate, issuer } = verified
  if (certificate.sctList === undefined) {
    throw new VerificationError('VERIFY_SCT', 'the certificate has no signed certificate timestamp', {
      expected: `timestamps of ${String(threshold)} certificate transparency log(s) inside the certificate`,
      found: 'none',
    })
  }
  const scts = parseSctList(certificate.sctList)
  // The issuer's key comes from the verified path: with another one the log would have signed another certificate.
  const entry = precertEntry(certificate, issuer.spki)
  const logs = new Map<string, TrustedLog>()
  for (const sct of scts) {
    const log = await verifyOne(sct, entry, ctlogs)
    if (log !== undefined) logs.set(logIdentity(log), log)
  }
  if (logs.size < threshold) {
    throw new VerificationError('VERIFY_SCT_THRESHOLD', 'too few trusted logs promised to publish the certificate', {
      expected: `${String(threshold)} distinct log(s) of the trusted root, in use at the time`,
      found: `${String(logs.size)}, in ${String(scts.length)} timestamps`,
    })
  }
  return [...logs.values()]
}

async function verifyOne(
  sct: SignedCertificateTimestamp,
  entry: SctEntry,
  ctlogs: readonly TrustedLog[],
): Promise<TrustedLog | undefined> {
  const inUse = ({ validFor }: TrustedLog): boolean =>
    validFor.start !== undefined && timeRangeContains(validFor, sct.timestamp)
  const log = logsById(ctlogs, sct.logId).find(inUse)
  if (log === undefined) return undefined
  try {
    await verifySct(sct, entry, log.key)
    return log
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new VerificationError('VERIFY_SCT', 'a signed certificate timestamp is wrong', {
      expected: `a signature by ${log.baseUrl} over this certificate`,
      cause: error,
    })
  }
}
