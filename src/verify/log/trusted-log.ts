/**
 * Which log of the trusted root an entry belongs to, and whether its key was in use at a time.
 *
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { parseSignedCheckpoint } from '#formats/checkpoint/checkpoint'
import { keyIdOf, logKeyHash } from '#formats/note/key'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { timeRangeContains } from '#formats/trusted-root/time-range'
import type { TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import { formatRfc3339 } from '#time'
import type { UnixMillis } from '#time'
import { formatRange } from '../certificate/verified-certificate.js'
import { VerificationError } from '../errors.js'
import { hostNames, readOrigin } from './checkpoint-origin.js'

/** The logs with this id: usually one; several if the trusted root states several periods of use. */
export function logsById(logs: TrustedRoot['tlogs'], logId: Uint8Array): readonly TrustedLog[] {
  return logs.filter((log) => equalBytes(log.logId, logId))
}

/**
 * The logs that an entry can be of: by the id it states, or else by name and key of its checkpoint, since the id of a
 * Rekor v2 is not computed by everybody alike (sigstore_trustroot.proto, log_id). It must be one of the known ways though:
 * an id that is no log's is a changed entry.
 */
export function logsOfEntry(logs: TrustedRoot['tlogs'], entry: LogEntry): readonly TrustedLog[] {
  const stated = logsById(logs, entry.logId)
  const checkpoint = entry.inclusionProof?.checkpoint
  return stated.length > 0 || checkpoint === undefined ? stated : logsByCheckpoint(logs, entry.logId, checkpoint)
}

function logsByCheckpoint(logs: TrustedRoot['tlogs'], logId: Uint8Array, source: string): readonly TrustedLog[] {
  try {
    const { checkpoint, note } = parseSignedCheckpoint(source)
    const { rule, name } = readOrigin(checkpoint.origin)
    if (rule === 'rekor-v1') return []
    return logs.filter((log) => {
      if (!hostNames(log.baseUrl).includes(name)) return false
      const hash = logKeyHash({ name, key: log.key, rule })
      const keyId = keyIdOf(hash)
      if (![hash, keyId, log.key.id].some((id) => equalBytes(id, logId))) return false
      return note.signatures.some((signature) => signature.name === name && equalBytes(signature.keyId, keyId))
    })
  } catch (error) {
    if (isCodedError(error)) return [] // of no log that is known
    throw error
  }
}

/**
 * The first of the logs whose key was in use at the time; the range includes both ends.
 * @throws VerificationError `VERIFY_LOG_KEY_VALIDITY`
 */
export function logInUse(logs: readonly TrustedLog[], at: UnixMillis): TrustedLog {
  const found = logs.find((log) => log.validFor.start !== undefined && timeRangeContains(log.validFor, at))
  if (found !== undefined) return found
  throw outOfUse(logs, formatRfc3339(at))
}

/**
 * The first of the logs whose key can have signed a checkpoint of an entry that existed at one of the times.
 * @throws VerificationError `VERIFY_LOG_KEY_VALIDITY`; also if there is no time and the key has been retired
 */
export function logInUseAtSomeTime(logs: readonly TrustedLog[], times: readonly UnixMillis[]): TrustedLog {
  const found = logs.find(({ validFor }) => {
    if (validFor.start === undefined) return false
    // Without any time nothing says that a retired key signed while it was in use.
    if (times.length === 0) return validFor.end === undefined
    return times.some((at) => timeRangeContains(validFor, at))
  })
  if (found !== undefined) return found
  throw outOfUse(logs, times.length === 0 ? 'no verified time' : times.map(formatRfc3339).join(', '))
}

/** What makes two entries of the trusted root one log: an operator that is named, or else the key. */
export function logIdentity(log: TrustedLog): string {
  return log.operator ?? encodeHex(log.key.id)
}

function outOfUse(logs: readonly TrustedLog[], found: string): VerificationError {
  const unbounded = logs.some((log) => log.validFor.start === undefined)
  return new VerificationError('VERIFY_LOG_KEY_VALIDITY', 'the key of the log was not in use at the time', {
    expected: unbounded
      ? 'a log with a start of its validity in the trusted root'
      : logs.map((log) => formatRange(log.validFor)).join(', '),
    found,
    ...(unbounded && { hint: 'the trusted root is incomplete: every log key needs validFor.start' }),
  })
}
