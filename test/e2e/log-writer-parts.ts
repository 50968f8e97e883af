/** What the process that is killed and the test that kills it agree on. @module */
import { privateKeyFromPem } from '#crypto/private-key'
import { encodeUtf8 } from '#encoding/utf8'
import { hashLeaf } from '#formats/merkle/hash'
import { noteCheckpoints } from '#tlog/note-checkpoints'
import type { CheckpointPort, EntryRules } from '#tlog/rules'

/** The key of this test and nothing else. */
const KEY = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
`

export const WRITER_RULES: EntryRules = {
  identity: hashLeaf,
  searchKeys: (_entry, annotation) => [hashLeaf(annotation)],
  annotated: true,
}

export function writerCheckpoints(): CheckpointPort {
  return noteCheckpoints({ origin: 'killed.example', key: privateKeyFromPem(KEY), rule: 'note' })
}

export function writerEntry(name: string): Uint8Array {
  return encodeUtf8(`entry ${name} ${'.'.repeat(200)}`)
}
