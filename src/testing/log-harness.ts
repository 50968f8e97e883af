/** A log for tests: a fixed key, a clock that ticks, entries that are what they say, and a check of everything. @module */
import assert from 'node:assert/strict'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeUtf8 } from '#encoding/utf8'
import { hashLeaf } from '#formats/merkle/hash'
import { verifyConsistency, verifyInclusion } from '#formats/merkle/proof'
import { fsck } from '#tlog/fsck'
import { openLog } from '#tlog/log'
import type { Appended, Log, LogOptions } from '#tlog/log'
import { noteCheckpoints } from '#tlog/note-checkpoints'
import { PosixStorage } from '#tlog/posix/posix-storage'
import type { CheckpointPort, EntryRules } from '#tlog/rules'
import type { LogStorage } from '#tlog/storage'
import type { CrashFileSystem } from './crash-file-system.js'

const KEY = await generatePrivateKey('ed25519')

/** Entries are searched by their first byte, and by the last one of what is kept beside them: the time. */
export const RULES: EntryRules = {
  identity: hashLeaf,
  searchKeys: (entry, annotation) => [hashLeaf(entry.subarray(0, 1)), hashLeaf(annotation.subarray(-1))],
  annotated: true,
}

export const CHECKPOINTS: CheckpointPort = noteCheckpoints({ origin: 'log.example', key: KEY, rule: 'note' })

/** A log over a storage; nothing waits. */
export function testOptions(storage: LogStorage, more: Partial<LogOptions> = {}): LogOptions {
  let now = 1_700_000_000_000
  return {
    storage,
    rules: RULES,
    checkpoints: CHECKPOINTS,
    clock: () => (now += 7),
    // One turn, so that what is appended together is one batch.
    batchDelay: 1,
    wait: () => new Promise((resolve) => setImmediate(resolve)),
    ...more,
  }
}

export function testLog(storage: LogStorage, more: Partial<LogOptions> = {}): Promise<Log> {
  return openLog(testOptions(storage, more))
}

/** A directory of a file system that can crash. */
export function crashStorage(fs: CrashFileSystem): PosixStorage {
  return new PosixStorage({ directory: '/data/log', fs, lock: async () => ({ release: async () => undefined }) })
}

export function entryBytes(name: string | number): Uint8Array {
  return encodeUtf8(`entry ${String(name)}`)
}

/** Appends an entry by its name. */
export function append(log: Log, name: string | number): Promise<Appended> {
  const entry = entryBytes(name)
  return log.append({ identity: hashLeaf(entry), entry, annotation: ({ time }) => encodeUtf8(String(time)) })
}

/** Appends them in one go, so that they share batches. */
export function appendAll(log: Log, names: readonly (string | number)[]): Promise<readonly Appended[]> {
  return Promise.all(names.map((name) => append(log, name)))
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** Checks the whole log from outside, and proofs for a sample of entries. */
export async function checkLog(log: Log, storage: LogStorage, rules: EntryRules = RULES): Promise<void> {
  const tables = { identities: storage.table('identities'), search: storage.table('search') }
  const report = await fsck({ objects: storage, rules, checkpoints: CHECKPOINTS, tables })
  assert.deepEqual(report.problems, [])
  const { size, rootHash } = log.checkpoint
  assert.equal(report.size, size)
  for (let index = 0; index < size; index += 1 + Math.floor(size / 16)) {
    const entry = await log.entry(index)
    const proof = await log.inclusionProof(index, size)
    const claim = { leafIndex: BigInt(index), treeSize: BigInt(size), leafHash: hashLeaf(entry), proof }
    verifyInclusion({ ...claim, root: rootHash })
    assert.equal(await log.find(hashLeaf(entry)), index)
  }
}

/** Checks that a later root goes on from an earlier one. */
export async function checkContinues(
  log: Log,
  earlier: { readonly size: number; readonly rootHash: Uint8Array },
): Promise<void> {
  const { size, rootHash } = log.checkpoint
  verifyConsistency({
    fromSize: BigInt(earlier.size),
    toSize: BigInt(size),
    fromRoot: earlier.rootHash,
    toRoot: rootHash,
    proof: await log.consistencyProof(earlier.size, size),
  })
}
