/**
 * The signed entry timestamp of Rekor v1: the log's promise to include the entry, and its time (client-spec §4.2.2).
 *
 * @module
 */
import { verifySignature } from '#crypto/verify'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { signedEntryTimestampPayload } from '#formats/rekor-entry/promise'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { VerificationError } from '../errors.js'
import { witnessedTime } from '../time/verified-time.js'
import type { VerifiedTime } from '../time/verified-time.js'
import { logInUse } from './trusted-log.js'

/**
 * Verifies the promise of an entry; the body stays unread until the log's signature over it is known to be good.
 * @throws VerificationError `VERIFY_LOG_PROMISE`, `VERIFY_LOG_KEY_VALIDITY`
 */
export async function verifyPromise(
  entry: LogEntry,
  promise: Uint8Array,
  logs: readonly TrustedLog[],
): Promise<VerifiedTime> {
  if (entry.integratedTime === undefined) {
    throw new VerificationError('VERIFY_LOG_PROMISE', 'the promise states no time', {
      expected: 'the integrated time that the log signed',
      found: 'none',
    })
  }
  const log = logInUse(logs, entry.integratedTime)
  const signed = { key: log.key, scheme: log.algorithm, signature: promise }
  if (!(await verifySignature(signed, signedEntryTimestampPayload(entry)))) {
    throw new VerificationError('VERIFY_LOG_PROMISE', 'the signed entry timestamp is not by the log', {
      expected: `a signature by ${log.baseUrl} over body, integrated time, log index and log id`,
      hint: 'one of these was changed, or the entry comes from another log',
    })
  }
  return witnessedTime(entry.integratedTime, { kind: 'transparency-log', log })
}
