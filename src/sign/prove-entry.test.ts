import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RekorClient } from '#clients/rekor/rekor'
import type { InclusionProof, LogEntry } from '#formats/rekor-entry/log-entry'
import { createTestPki } from '#testing/pki/pki'
import { signMessage } from '#testing/pki/signed-entity'
import { isProved, proveEntry } from './prove-entry.js'

const pki = await createTestPki()
const [whole] = (await signMessage(pki)).entity.logEntries
const [another] = (await signMessage(pki)).entity.logEntries
assert.ok(whole?.inclusionProof !== undefined && another?.inclusionProof !== undefined)
const promised: LogEntry = { ...whole, inclusionProof: undefined }
const proof: InclusionProof = whole.inclusionProof

/** A log that answers the same whatever it is asked. */
function log(entry: LogEntry): Pick<RekorClient, 'entryByIndex'> & { readonly asked: readonly bigint[] } {
  const asked: bigint[] = []
  const entryByIndex: RekorClient['entryByIndex'] = async (index) => {
    asked.push(index)
    return await Promise.resolve({ uuid: '', url: '', created: false, entry })
  }
  return { asked, entryByIndex }
}

test('a promised entry is given the log’s proof and keeps the rest of itself', async () => {
  const asking = log({ ...whole, inclusionPromise: undefined })
  assert.deepEqual(await proveEntry(asking, promised), whole)
  assert.deepEqual(asking.asked, [whole.logIndex])
})

test('a proved entry is as it is, and nobody is asked', async () => {
  const asking = log(another)
  assert.equal(await proveEntry(asking, whole), whole)
  assert.deepEqual(asking.asked, [])
  assert.equal(isProved({ ...whole, inclusionProof: { ...proof, checkpoint: undefined } }), false)
})

const REFUSED: readonly (readonly [what: string, answer: LogEntry, code: string])[] = [
  ['another entry', another, 'VERIFY_LOG_ENTRY_MISMATCH'],
  [
    'another body at the index',
    { ...whole, canonicalizedBody: another.canonicalizedBody },
    'VERIFY_LOG_ENTRY_MISMATCH',
  ],
  ['another log', { ...whole, logId: new Uint8Array(32) }, 'VERIFY_LOG_ENTRY_MISMATCH'],
  ['another index', { ...whole, logIndex: whole.logIndex + 1n }, 'VERIFY_LOG_ENTRY_MISMATCH'],
  ['another time', { ...whole, integratedTime: (whole.integratedTime ?? 0) + 1000 }, 'VERIFY_LOG_ENTRY_MISMATCH'],
  ['no proof', promised, 'VERIFY_LOG_INCLUSION'],
  ['no checkpoint', { ...whole, inclusionProof: { ...proof, checkpoint: undefined } }, 'VERIFY_LOG_INCLUSION'],
  ['the proof of another entry', { ...whole, inclusionProof: another.inclusionProof }, 'MERKLE_ROOT_MISMATCH'],
  [
    'a root that is not the checkpoint’s',
    { ...whole, inclusionProof: { ...proof, rootHash: new Uint8Array(32) } },
    'VERIFY_CHECKPOINT',
  ],
  ['a checkpoint that is none', { ...whole, inclusionProof: { ...proof, checkpoint: 'x' } }, 'NOTE_MALFORMED'],
]
for (const [what, answer, code] of REFUSED) {
  test(`refuses a log that answers ${what}`, async () => {
    await assert.rejects(proveEntry(log(answer), promised), { code })
  })
}
