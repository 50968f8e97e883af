import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { emptyRoot, hashLeaf } from '#formats/merkle/hash'
import { CrashFileSystem } from '#testing/crash-file-system'
import { slowRoot } from '#testing/leaf-tree'
import {
  CHECKPOINTS,
  RULES,
  append,
  appendAll,
  checkContinues,
  checkLog,
  crashStorage,
  entryBytes,
  range,
  testLog,
} from '#testing/log-harness'
import { fsck } from './fsck.js'
import { MemoryStorage } from './memory/memory-storage.js'
import { noteCheckpoints } from './note-checkpoints.js'
import type { LogStorage } from './storage.js'

const STORAGES: readonly { name: string; make: () => () => LogStorage }[] = [
  {
    name: 'memory',
    make: () => {
      const storage = new MemoryStorage()
      return () => storage
    },
  },
  {
    name: 'posix',
    make: () => {
      const fs = new CrashFileSystem()
      return () => crashStorage(fs)
    },
  },
]

for (const { name, make } of STORAGES) {
  test(`${name}: a new log publishes the empty tree`, async () => {
    const storage = make()()
    const log = await testLog(storage)
    assert.equal(log.checkpoint.size, 0)
    assert.deepEqual(log.checkpoint.rootHash, emptyRoot())
    assert.deepEqual(await storage.get('checkpoint'), log.checkpoint.note)
    await checkLog(log, storage)
  })

  test(`${name}: entries keep their order, their bytes and their time across restarts`, async () => {
    const open = make()
    const names: (string | number)[] = []
    for (const step of [1, 5, 248, 1, 1, 1, 255, 300]) {
      const storage = open()
      const log = await testLog(storage)
      const before = log.checkpoint
      const more = range(names.length, names.length + step)
      const appended = await appendAll(log, more)
      assert.deepEqual(
        appended.map(({ index }) => index),
        more,
      )
      assert.ok(appended.every(({ checkpoint, index, duplicate }) => checkpoint.size > index && !duplicate))
      names.push(...more)
      assert.deepEqual(log.checkpoint.rootHash, slowRoot(names.map(entryBytes)))
      await checkLog(log, storage)
      await checkContinues(log, before)
      await log.close()
    }
    const log = await testLog(open())
    for (const at of [0, 255, 256, 511, 811]) {
      assert.deepEqual(await log.entry(at), entryBytes(at))
      assert.ok(Number(decodeUtf8(await log.annotation(at))) > 1_700_000_000_000)
    }
  })

  test(`${name}: a duplicate gets the first index, at once, later, and after a restart`, async () => {
    const open = make()
    const first = open()
    const log = await testLog(first)
    const together = await appendAll(log, ['a', 'b', 'a', 'a'])
    assert.deepEqual(
      together.map(({ index }) => index),
      [0, 1, 0, 0],
    )
    assert.deepEqual(
      together.map(({ duplicate }) => duplicate),
      [false, false, true, true],
    )
    assert.deepEqual(await append(log, 'b'), { index: 1, duplicate: true, checkpoint: log.checkpoint })
    await log.close()
    const second = open()
    const again = await testLog(second)
    assert.equal((await append(again, 'b')).index, 1)
    assert.equal((await append(again, 'c')).index, 2)
    await checkLog(again, second)
  })

  test(`${name}: search finds the newest entries by key, and still does when the table was dropped`, async () => {
    const open = make()
    const log = await testLog(open())
    for (const entry of ['xa', 'yb', 'xc', 'xd']) {
      const bytes = encodeUtf8(entry)
      await log.append({ identity: hashLeaf(bytes), entry: bytes, annotation: encodeUtf8('~') })
    }
    const key = hashLeaf(encodeUtf8('x'))
    assert.deepEqual(await log.search(key, 10), [0, 2, 3])
    assert.deepEqual(await log.search(key, 2), [2, 3])
    assert.deepEqual(await log.search(hashLeaf(encodeUtf8('z')), 10), [])
    await log.reindex()
    assert.deepEqual(await log.search(key, 10), [0, 2, 3])
  })

  test(`${name}: what is not in the published tree is refused`, async () => {
    const log = await testLog(make()())
    await appendAll(log, ['a', 'b'])
    for (const ask of [
      () => log.entry(2),
      () => log.entry(-1),
      () => log.annotation(2),
      () => log.leafHash(2),
      () => log.rootAt(3),
      () => log.inclusionProof(0, 3),
      () => log.inclusionProof(2, 2),
      () => log.inclusionProof(-1, 2),
      () => log.consistencyProof(1, 3),
      () => log.consistencyProof(2, 1),
    ]) {
      await assert.rejects(async () => ask(), { code: 'TLOG_RANGE' })
    }
  })
}

test('the secondary tables are made again from the tiles when their files are gone', async () => {
  const fs = new CrashFileSystem()
  const log = await testLog(crashStorage(fs))
  await appendAll(log, range(0, 300))
  await log.close()
  await fs.remove('/data/log/state/keys')
  const storage = crashStorage(fs)
  const again = await testLog(storage)
  assert.deepEqual(await append(again, 17), { index: 17, duplicate: true, checkpoint: again.checkpoint })
  await checkLog(again, storage)
})

test('an entry that is too large is refused alone', async () => {
  const storage = new MemoryStorage()
  const log = await testLog(storage)
  const large = new Uint8Array(65_536)
  const results = await Promise.allSettled([
    append(log, 'a'),
    log.append({ identity: hashLeaf(large), entry: large }),
    append(log, 'b'),
  ])
  assert.deepEqual(
    results.map((r) => (r.status === 'fulfilled' ? r.value.index : (r.reason as { code: string }).code)),
    [0, 'TLOG_ENTRY_SIZE', 1],
  )
  await checkLog(log, storage)
})

test('an entry that cannot be made is refused alone, and the others close up', async () => {
  const storage = new MemoryStorage()
  const log = await testLog(storage)
  const bad = (): Uint8Array => {
    throw new Error('no')
  }
  const placed = ({ index }: { index: number }): Uint8Array => encodeUtf8(`I am ${String(index)}`)
  const results = await Promise.allSettled([
    log.append({ identity: hashLeaf(encodeUtf8('1')), entry: bad }),
    log.append({ identity: hashLeaf(encodeUtf8('2')), entry: placed }),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  )
  assert.deepEqual(await log.entry(0), encodeUtf8('I am 0'))
})

test('more entries than may wait are refused, and the others are not harmed', async () => {
  const log = await testLog(new MemoryStorage(), { maxPending: 10 })
  const results = await Promise.allSettled(range(0, 12).map((name) => append(log, name)))
  const codes = results.map((r) => (r.status === 'fulfilled' ? 'ok' : (r.reason as { code: string }).code))
  assert.equal(codes.filter((code) => code === 'ok').length, 10)
  assert.equal(codes.filter((code) => code === 'TLOG_OVERLOADED').length, 2)
  assert.equal(log.checkpoint.size, 10)
})

test('a closed log takes nothing in, and what was on its way is answered first', async () => {
  const log = await testLog(new MemoryStorage())
  const pending = append(log, 'a')
  const closing = log.close()
  await assert.rejects(append(log, 'b'), { code: 'TLOG_CLOSED' })
  assert.equal((await pending).index, 0)
  await closing
  await log.close()
})

test('time does not go backwards with the clock, unless the clock was far off before', async () => {
  const times = [5_000_000, 4_900_000, 9_000_000, 6_000_000]
  const log = await testLog(new MemoryStorage(), { clock: () => times.shift()! })
  for (const name of ['a', 'b', 'c', 'd']) await append(log, name)
  const kept = await Promise.all([0, 1, 2, 3].map(async (index) => decodeUtf8(await log.annotation(index))))
  assert.deepEqual(kept, ['5000000', '5000000', '9000000', '6000000'])
})

test('a directory is not continued with another key or under another name', async () => {
  const fs = new CrashFileSystem()
  const log = await testLog(crashStorage(fs))
  await append(log, 'a')
  await log.close()
  const key = await generatePrivateKey('ed25519')
  for (const origin of ['log.example', 'other.example']) {
    const checkpoints = noteCheckpoints({ origin, key, rule: 'note' })
    await assert.rejects(testLog(crashStorage(fs), { checkpoints }), { code: 'TLOG_CHECKPOINT_FOREIGN' })
  }
})

test('an older copy of the storage under a newer checkpoint is refused', async () => {
  const fs = new CrashFileSystem()
  const storage = crashStorage(fs)
  const log = await testLog(storage)
  await appendAll(log, ['a', 'b'])
  await log.close()
  const old = new Map<string, Uint8Array>()
  for (const path of ['/data/log/state/settled', '/data/log/state/wal/0000000000000002']) {
    old.set(path, (await fs.read(path)) ?? new Uint8Array(0))
  }
  const more = await testLog(crashStorage(fs))
  await append(more, 'c')
  await more.close()
  await fs.remove('/data/log/state/wal')
  for (const [path, bytes] of old) await fs.write(path, bytes)
  await assert.rejects(testLog(crashStorage(fs)), { code: 'TLOG_ROLLED_BACK' })
})

test('a checkpoint of another tree is refused', async () => {
  const [one, two] = [new CrashFileSystem(), new CrashFileSystem()]
  for (const [fs, names] of [
    [one, ['a', 'b']],
    [two, ['c']],
  ] as const) {
    const log = await testLog(crashStorage(fs))
    await appendAll(log, names)
    await log.close()
  }
  await one.write('/data/log/public/checkpoint', (await two.read('/data/log/public/checkpoint'))!)
  await assert.rejects(testLog(crashStorage(one)), { code: 'TLOG_FORK' })
})

const DAMAGES: readonly { name: string; path: string; code: string }[] = [
  { name: 'a tile', path: '/data/log/public/tile/0/001.p/44', code: 'TLOG_ROOT_MISMATCH' },
  { name: 'an upper tile', path: '/data/log/public/tile/1/000.p/1', code: 'TLOG_ROOT_MISMATCH' },
  { name: 'the settled state', path: '/data/log/state/settled', code: 'TLOG_STORAGE' },
]
for (const { name, path, code } of DAMAGES) {
  test(`a log does not start when one byte of ${name} has changed`, async () => {
    const fs = new CrashFileSystem()
    const log = await testLog(crashStorage(fs))
    await appendAll(log, range(0, 300))
    await log.close()
    const bytes = (await fs.read(path))!
    bytes[bytes.length >> 1]! ^= 0x80
    await fs.write(path, bytes)
    await assert.rejects(testLog(crashStorage(fs)), { code })
  })
}

test('fsck finds every kind of damage', async () => {
  const damages: readonly [path: string, kind: string][] = [
    ['tile/0/000', 'tile'],
    ['tile/0/001.p/44', 'tile'],
    ['tile/1/000.p/1', 'tile'],
    ['tile/entries/000', 'tile'],
    ['annotations/000', 'table'],
    ['checkpoint', 'checkpoint'],
  ]
  for (const [path, kind] of damages) {
    const storage = new MemoryStorage()
    const log = await testLog(storage)
    await appendAll(log, range(0, 300))
    const objects = storage
    for (const mode of ['changed', 'gone'] as const) {
      const bytes = (await objects.get(path))!.slice()
      // Not in a length: a digit of the text, a byte of a hash; the last digit of the first annotation.
      bytes[path === 'annotations/000' ? 14 : 9]! ^= 0x01
      const get = async (asked: string): Promise<Uint8Array | undefined> =>
        asked !== path ? objects.get(asked) : mode === 'changed' ? bytes : undefined
      const { problems } = await fsck({
        objects: { get },
        rules: RULES,
        checkpoints: CHECKPOINTS,
        tables: { search: storage.table('search') },
      })
      const expected = mode === 'gone' && kind !== 'checkpoint' ? 'missing' : kind
      assert.ok(
        problems.some((problem) => problem.kind === expected),
        `${path} ${mode}: ${JSON.stringify(problems)}`,
      )
    }
  }
})

test('fsck finds an entry that was logged twice', async () => {
  const forged = new MemoryStorage()
  const loose = await testLog(forged, { rules: { identity: (entry) => hashLeaf(entry.subarray(1)) } })
  for (const text of ['1a', '2b']) {
    const entry = encodeUtf8(text)
    await loose.append({ identity: hashLeaf(entry.subarray(1)), entry })
  }
  const report = await fsck({
    objects: forged,
    rules: { identity: (e) => hashLeaf(e.subarray(2)) },
    checkpoints: CHECKPOINTS,
  })
  assert.deepEqual(
    report.problems.map(({ kind }) => kind),
    ['duplicate'],
  )
})
