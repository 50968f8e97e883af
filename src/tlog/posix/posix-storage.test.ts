import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { emptyRoot } from '#formats/merkle/hash'
import { CrashFileSystem } from '#testing/crash-file-system'
import { RULES, append, appendAll, checkLog, crashStorage, range, testLog } from '#testing/log-harness'
import { MemoryStorage } from '../memory/memory-storage.js'
import type { Commit, LogStorage, TreeState } from '../storage.js'
import { posixStorage } from './open.js'
import { parseSettled, serializeSettled } from './settled.js'

const EMPTY: TreeState = { size: 0, rootHash: emptyRoot(), time: 0 }

function commitOf(previous: TreeState, count: number): Commit {
  const next = { size: previous.size + count, rootHash: new Uint8Array(32).fill(previous.size + count), time: 7 }
  const entries = Array.from({ length: count }, (_, i) => Uint8Array.of(previous.size + i))
  return { previous, next, entries, annotations: [], attachments: [] }
}

function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-log-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const STORAGES: readonly { name: string; make: (t: TestContext) => LogStorage }[] = [
  { name: 'memory', make: () => new MemoryStorage() },
  { name: 'posix in memory', make: () => crashStorage(new CrashFileSystem()) },
  { name: 'posix', make: (t) => posixStorage(temporary(t)) },
]
for (const { name, make } of STORAGES) {
  test(`${name}: commits are a compare-and-swap, and come back in order`, async (t) => {
    const storage = make(t)
    assert.deepEqual(await storage.open(), { settled: EMPTY, commits: [] })
    const first = commitOf(EMPTY, 2)
    const second = commitOf(first.next, 1)
    await storage.commit(first)
    await assert.rejects(storage.commit(first), { code: 'TLOG_CONFLICT' })
    await assert.rejects(storage.commit(commitOf(second.next, 1)), { code: 'TLOG_CONFLICT' })
    await storage.commit(second)
    await storage.close()
    await assert.rejects(storage.commit(commitOf(second.next, 1)), { code: 'TLOG_STORAGE' })
    assert.deepEqual(await storage.open(), { settled: EMPTY, commits: [first, second] })
    await storage.settle([])
    const third = commitOf(second.next, 3)
    await storage.commit(third)
    await storage.close()
    assert.deepEqual(await storage.open(), { settled: second.next, commits: [third] })
    await storage.close()
  })

  test(`${name}: objects are replaced as a whole, and obsolete folders go when the rest is settled`, async (t) => {
    const storage = make(t)
    await storage.open()
    assert.equal(await storage.get('tile/0/000.p/1'), undefined)
    assert.equal(await storage.get('tile'), undefined)
    await storage.put('tile/0/000.p/1', Uint8Array.of(1))
    await storage.put('tile/0/000.p/2', Uint8Array.of(1, 2))
    await storage.put('tile/0/000', Uint8Array.of(1, 2, 3))
    await storage.put('checkpoint', Uint8Array.of(1))
    await storage.put('checkpoint', Uint8Array.of(2))
    await storage.settle(['tile/0/000.p', 'tile/0/never.p'])
    assert.equal(await storage.get('tile/0/000.p/1'), undefined)
    assert.deepEqual(Buffer.from((await storage.get('tile/0/000'))!), Buffer.from([1, 2, 3]))
    assert.deepEqual(Buffer.from((await storage.get('checkpoint'))!), Buffer.from([2]))
    await storage.close()
  })
}

test('a whole life on the real file system', async (t) => {
  const directory = temporary(t)
  for (const [from, to] of [
    [0, 1],
    [1, 300],
    [300, 301],
    [301, 800],
  ] as const) {
    const storage = posixStorage(directory)
    const log = await testLog(storage, { settleBytes: 3000 })
    await appendAll(log, range(from, to))
    assert.equal((await append(log, 0)).index, 0)
    await checkLog(log, storage)
    await log.close()
  }
  assert.deepEqual(readdirSync(join(directory, 'public')).sort(), ['annotations', 'checkpoint', 'tile'])
  assert.deepEqual(readdirSync(join(directory, 'state', 'tmp')), [])
  // The obsolete partial tiles are gone, the ones of the edge are not.
  assert.deepEqual(readdirSync(join(directory, 'public', 'tile', '0')).sort(), ['000', '001', '002', '003.p'])
  assert.ok(RULES.annotated)
})

test('a settled state is read back, and anything else is refused', () => {
  const settled = {
    state: { size: 12, rootHash: new Uint8Array(32).fill(9), time: 5 },
    tables: new Map([['identities', { generation: 1, bytes: 32, covered: 2 }]]),
  }
  assert.deepEqual(parseSettled(serializeSettled(settled)), settled)
  assert.deepEqual(parseSettled(undefined), { state: EMPTY, tables: new Map() })
  const document = JSON.parse(new TextDecoder().decode(serializeSettled(settled))) as Record<string, unknown>
  for (const change of [
    { version: 2 },
    { size: -1 },
    { size: 1.5 },
    { size: '12' },
    { rootHash: 'ab' },
    { rootHash: 7 },
    { time: null },
    { tables: [] },
    { tables: { identities: { generation: 1, bytes: 32 } } },
  ]) {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...document, ...change }))
    assert.throws(() => parseSettled(bytes), { code: 'TLOG_STORAGE' }, JSON.stringify(change))
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        parseSettled(bytes)
      } catch (error) {
        assert.ok(isCodedError(error))
      }
    }),
  )
})
