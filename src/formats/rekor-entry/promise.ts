/** What the signed entry timestamp (SET) of Rekor v1 signs. @module */
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
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
  // RFC 8785 of these four members, written out: base64 and hex need no escaping, and every verification of an entry
  // comes through here. Numbers are IEEE doubles, as they were for whoever signed (§3.2.2.3).
  const body = encodeBase64(entry.canonicalizedBody)
  const integratedTime = String(Math.floor(entry.integratedTime / 1000))
  const logIndex = String(Number(entry.logIndex))
  const payload = `{"body":"${body}","integratedTime":${integratedTime},"logID":"${encodeHex(entry.logId)}","logIndex":${logIndex}}`
  return encodeUtf8(payload)
}
