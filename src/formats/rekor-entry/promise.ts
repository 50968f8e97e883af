/** What the signed entry timestamp (SET) of Rekor v1 signs. @module */
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import { encodeUtf8 } from '#encoding/utf8'
import type { LogEntry } from './log-entry.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** The parts of an entry that its inclusion promise covers; the index is the one across shards. */
export type PromisedEntry = Pick<LogEntry, 'canonicalizedBody' | 'integratedTime' | 'logId' | 'logIndex'>

/**
 * The signed bytes: canonical JSON of body, time, log id and index.
 * @throws RekorEntryError `REKOR_ENTRY_MALFORMED` when the entry has no integrated time
 */
export function signedEntryTimestampPayload(entry: PromisedEntry): Uint8Array {
  if (entry.integratedTime === undefined) {
    throw new RekorEntryError('REKOR_ENTRY_MALFORMED', 'an entry without integrated time has no inclusion promise', {
      expected: 'an entry of Rekor v1',
    })
  }
  const payload = canonicalize({
    body: encodeBase64(entry.canonicalizedBody),
    integratedTime: Math.floor(entry.integratedTime / 1000),
    logID: encodeHex(entry.logId),
    // JCS writes numbers as IEEE doubles, and so did whoever signed (RFC 8785 §3.2.2.3).
    logIndex: Number(entry.logIndex),
  })
  return encodeUtf8(payload)
}
