/**
 * All log entries of an entity: their promised times first, then inclusion and binding, and how many logs they come from.
 *
 * @module
 */
import { encodeHex } from '#encoding/hex'
import { formatRfc3339 } from '#time'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import { VerificationError } from '../errors.js'
import type { ReportBuilder } from '../report.js'
import type { VerifiedTime } from '../time/verified-time.js'
import type { VerifiedLogEntry } from '../verification.js'
import { bindEntry } from './entry-binding.js'
import type { BoundEntry, Signing } from './entry-binding.js'
import { verifySignedInclusion } from './inclusion.js'
import { verifyPromise } from './promise.js'
import { logIdentity, logInUseAtSomeTime, logsOfEntry } from './trusted-log.js'

/** An entry of a trusted log, with the log's promise if it made one; its body has not been read yet. */
export interface PromisedLogEntry {
  readonly of: string
  readonly entry: LogEntry
  readonly logs: readonly TrustedLog[]
  readonly promise: VerifiedTime | undefined
}

/**
 * Finds the entries of trusted logs and verifies the promises among them.
 * @throws VerificationError with report: `VERIFY_LOG_ENTRY_DUPLICATE`, `VERIFY_LOG_PROMISE`, `VERIFY_LOG_KEY_VALIDITY`
 */
export async function verifyPromises(
  entries: readonly LogEntry[],
  trust: TrustedRoot,
  report: ReportBuilder,
): Promise<readonly PromisedLogEntry[]> {
  const seen = new Set<string>()
  const found: PromisedLogEntry[] = []
  for (const [index, entry] of entries.entries()) {
    const of = `logEntries[${String(index)}]`
    try {
      refuseDuplicate(entry, seen)
      const logs = logsOfEntry(trust.tlogs, entry)
      if (logs.length === 0) {
        report.skipped('log-promise', 'the entry is not of a log of the trusted root', of)
        continue
      }
      const promise =
        entry.inclusionPromise === undefined ? undefined : await verifyPromise(entry, entry.inclusionPromise, logs)
      if (promise === undefined)
        report.skipped('log-promise', 'the log made no promise: it proves inclusion instead', of)
      else report.passed('log-promise', `${formatRfc3339(promise.at)} by ${promise.description}`, of)
      found.push({ of, entry, logs, promise })
    } catch (error) {
      throw report.failed({ name: 'log-promise', of, code: 'VERIFY_LOG_PROMISE' }, error)
    }
  }
  if (entries.length === 0) report.skipped('log-promise', 'there is no log entry')
  return found
}

// Only the log and the index make an entry the same; whatever else differs would be an attempt to have it counted twice.
function refuseDuplicate(entry: LogEntry, seen: Set<string>): void {
  const id = `${encodeHex(entry.logId)} ${String(entry.logIndex)}`
  if (seen.has(id))
    throw new VerificationError('VERIFY_LOG_ENTRY_DUPLICATE', 'an entry is there twice', {
      found: `log and index ${id}`,
    })
  seen.add(id)
}

/** What entries are verified against. */
export interface LogContext {
  readonly signing: Signing
  readonly trust: TrustedRoot
  readonly times: readonly VerifiedTime[]
  readonly threshold: number
  readonly report: ReportBuilder
}

/**
 * Verifies inclusion and binding of every entry of a trusted log, and requires enough distinct logs.
 * @throws VerificationError with report: `VERIFY_LOG_INCLUSION`, `VERIFY_LOG_ENTRY`, `VERIFY_LOG_ENTRY_MISMATCH`, `VERIFY_LOG_THRESHOLD`, …
 */
export async function verifyLogEntries(
  promised: readonly PromisedLogEntry[],
  context: LogContext,
): Promise<readonly (VerifiedLogEntry & Pick<BoundEntry, 'algorithm'>)[]> {
  const { report, threshold } = context
  const included = []
  for (const entry of promised) included.push(await verifyInclusionOf(entry, context))
  if (promised.length === 0) report.skipped('log-inclusion', 'there is no entry of a trusted log')

  const verified = included.map((each) => {
    try {
      const bound = bindEntry(each.entry, context.signing)
      report.passed('log-entry-binding', `${bound.body.kind} ${bound.body.version}`, each.of)
      return { body: bound.body, algorithm: bound.algorithm, ...each }
    } catch (error) {
      throw report.failed({ name: 'log-entry-binding', of: each.of, code: 'VERIFY_LOG_ENTRY' }, error)
    }
  })
  if (promised.length === 0) report.skipped('log-entry-binding', 'there is no entry of a trusted log')

  const logs = new Set(verified.map(({ log }) => logIdentity(log)))
  if (logs.size < threshold) {
    const error = new VerificationError('VERIFY_LOG_THRESHOLD', 'too few transparency logs have the signature', {
      expected: `${String(threshold)} distinct log(s) of the trusted root`,
      found: `${String(logs.size)}, in ${String(promised.length)} entries of trusted logs`,
      hint: 'use the trusted root of the instance that logged the signature',
    })
    throw report.failed({ name: 'log-threshold', code: error.code }, error)
  }
  report.passed('log-threshold', `${String(logs.size)} distinct log(s), ${String(threshold)} asked for`)
  return verified
}

type IncludedLogEntry = Omit<VerifiedLogEntry, 'body'> & Pick<PromisedLogEntry, 'of'>

async function verifyInclusionOf(promised: PromisedLogEntry, context: LogContext): Promise<IncludedLogEntry> {
  const { of, entry, promise } = promised
  const { report, trust } = context
  try {
    const log = logOf(promised, context.times)
    const promisedAt = promise === undefined ? {} : { promisedAt: promise.at }
    const proof = entry.inclusionProof
    if (proof?.checkpoint !== undefined) {
      const { checkpoint } = await verifySignedInclusion(
        entry,
        { ...proof, checkpoint: proof.checkpoint },
        { log, all: trust.tlogs },
      )
      report.passed(
        'log-inclusion',
        `entry ${String(entry.logIndex)} of ${log.baseUrl}, tree size ${String(checkpoint.size)}`,
        of,
      )
      return { of, entry, log, ...promisedAt, inclusion: 'proved' }
    }
    if (promise === undefined) {
      throw new VerificationError('VERIFY_LOG_INCLUSION', 'nothing shows that the log has the entry', {
        expected: 'an inclusion proof with a signed checkpoint, or a signed promise',
        found: proof === undefined ? 'neither' : 'a proof without a checkpoint',
      })
    }
    report.skipped('log-inclusion', 'there is no proof with a checkpoint; the log’s signed promise stands for it', of)
    return { of, entry, log, ...promisedAt, inclusion: 'promised' }
  } catch (error) {
    throw report.failed({ name: 'log-inclusion', of, code: 'VERIFY_LOG_INCLUSION' }, error)
  }
}

function logOf({ logs, promise }: PromisedLogEntry, times: readonly VerifiedTime[]): TrustedLog {
  if (promise?.source.kind === 'transparency-log') return promise.source.log
  return logInUseAtSomeTime(
    logs,
    times.map((time) => time.at),
  )
}
