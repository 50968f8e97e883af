/** From a promised log entry to a proved one: old material has the promise alone, and bundles of today want the proof. @module */
import type { RekorClient } from '#clients/rekor/rekor'
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { VerificationError } from '#verify/errors'
import { verifyInclusionUnderAnyCheckpoint } from '#verify/log/inclusion'

/** Whether an entry comes with a proof that a bundle of version 0.3 may have. */
export function isProved({ inclusionProof }: LogEntry): boolean {
  return inclusionProof?.checkpoint !== undefined
}

/**
 * The entry with the inclusion proof that the log gives for its index; one that has its proof is returned as it is. What the log
 * answers must be the same entry, and the proof must be for it. Whether the log itself is to be believed is for a verifier to say.
 * @throws VerificationError `VERIFY_LOG_ENTRY_MISMATCH`, `VERIFY_LOG_INCLUSION`, `VERIFY_CHECKPOINT`; MerkleError, CheckpointError, RekorError
 */
export async function proveEntry(log: Pick<RekorClient, 'entryByIndex'>, entry: LogEntry): Promise<LogEntry> {
  if (isProved(entry)) return entry
  const { entry: answered } = await log.entryByIndex(entry.logIndex)
  requireSame(answered, entry)
  const proof = answered.inclusionProof
  if (proof?.checkpoint === undefined) {
    throw new VerificationError('VERIFY_LOG_INCLUSION', 'the log gave no inclusion proof with a checkpoint', {
      expected: `a proof for entry ${String(entry.logIndex)}`,
      found: proof === undefined ? 'no proof' : 'a proof without a checkpoint',
    })
  }
  verifyInclusionUnderAnyCheckpoint(entry, { ...proof, checkpoint: proof.checkpoint })
  return { ...entry, inclusionProof: proof }
}

function requireSame(answered: LogEntry, entry: LogEntry): void {
  const differences = [
    ...(equalBytes(answered.canonicalizedBody, entry.canonicalizedBody) ? [] : ['body']),
    ...(equalBytes(answered.logId, entry.logId) ? [] : ['log id']),
    ...(answered.logIndex === entry.logIndex ? [] : ['index']),
    ...(answered.integratedTime === entry.integratedTime ? [] : ['integrated time']),
  ]
  if (differences.length === 0) return
  throw new VerificationError('VERIFY_LOG_ENTRY_MISMATCH', 'the log has another entry at this index', {
    expected: `entry ${String(entry.logIndex)} of the log ${encodeHex(entry.logId)}`,
    found: `another ${differences.join(', another ')}`,
    hint: 'is this the log that the entry is from?',
  })
}
