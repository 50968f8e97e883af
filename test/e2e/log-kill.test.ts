/** SIGKILL to a process that writes a log on a real file system, again and again; nothing it acknowledged is lost. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { hashLeaf } from '#formats/merkle/hash'
import { fsck } from '#tlog/fsck'
import { openLog } from '#tlog/log'
import { posixStorage } from '#tlog/posix/open'
import { WRITER_RULES, writerCheckpoints, writerEntry } from './log-writer-parts.js'

const ROUNDS = 6

test('a log survives SIGKILL at any moment', { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-kill-'))
  try {
    const acknowledged = new Map<string, number>()
    let published = 0
    for (let round = 0; round < ROUNDS; round++) {
      // As many acknowledgements as happen to bring it past another few tiles, and never the same number.
      await writeUntilKilled(directory, { round, after: 150 + 97 * round, acknowledged })
      published = await inspect(directory, { acknowledged, atLeast: published })
    }
    assert.ok(published > 1500, String(published))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

interface Life {
  readonly round: number
  readonly after: number
  readonly acknowledged: Map<string, number>
}

async function writeUntilKilled(directory: string, { round, after, acknowledged }: Life): Promise<void> {
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'log-writer.js'), directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let count = 0
  for await (const line of createInterface({ input: writer.stdout })) {
    const [word, name = '', index] = line.split(' ')
    if (word === 'open') await assert.rejects(posixStorage(directory).open(), { code: 'TLOG_LOCKED' })
    if (word !== 'ack' || index === undefined) continue
    acknowledged.set(name, Number(index))
    if (++count === after) writer.kill('SIGKILL')
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
  assert.equal(writer.signalCode, 'SIGKILL')
}

/** What the next start finds: the lock is free, everything acknowledged is there, the log is in order. */
async function inspect(
  directory: string,
  { acknowledged, atLeast }: { readonly acknowledged: ReadonlyMap<string, number>; readonly atLeast: number },
): Promise<number> {
  const checkpoints = writerCheckpoints()
  // As a static web server has it before anybody has cleaned up.
  const before = await fsck({ objects: posixStorage(directory), rules: WRITER_RULES, checkpoints })
  assert.deepEqual(before.problems, [])
  assert.ok(before.size >= atLeast)
  const storage = posixStorage(directory)
  const log = await openLog({
    storage,
    rules: WRITER_RULES,
    checkpoints,
    clock: Date.now,
    wait: () => Promise.resolve(),
  })
  for (const [name, index] of acknowledged) assert.equal(await log.find(hashLeaf(writerEntry(name))), index, name)
  const tables = { identities: storage.table('identities'), search: storage.table('search') }
  const after = await fsck({ objects: storage, rules: WRITER_RULES, checkpoints, tables })
  assert.deepEqual(after.problems, [])
  assert.ok(after.size >= before.size)
  await log.close()
  return after.size
}
