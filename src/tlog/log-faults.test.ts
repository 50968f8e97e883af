/**
 * Every storage operation of a piece of a log's life fails once, lands and fails, is torn, is the last one of the process,
 * or the last one before a power failure; the log crosses the boundary of a tile meanwhile, settles, and starts again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCodedError } from '#errors'
import { encodeHex } from '#encoding/hex'
import { CrashFileSystem, Killed } from '#testing/crash-file-system'
import type { Fault } from '#testing/crash-file-system'
import {
  CHECKPOINTS,
  RULES,
  append,
  appendAll,
  checkContinues,
  checkLog,
  crashStorage,
  range,
  testLog,
} from '#testing/log-harness'
import { fsck } from './fsck.js'
import type { Log, LogOptions } from './log.js'
import type { CheckpointPort, PublishedCheckpoint } from './rules.js'

const BEFORE = 252
/** One entry, then two at a time, over the boundary at 256. */
const BATCHES: readonly (readonly number[])[] = [[252], [253, 254], [255, 256], [257], [3, 258]]

/** What the world has seen of the log, which no restart may contradict. */
class World {
  readonly acknowledged = new Map<number, number>()
  readonly #roots = new Map<number, string>()
  #newest: PublishedCheckpoint | undefined

  /** Checkpoints that are signed, published or not: there must never be two for one size. */
  readonly checkpoints: CheckpointPort = {
    sign: (state) => {
      const root = encodeHex(state.rootHash)
      assert.equal(this.#roots.get(state.size) ?? root, root, `two roots for size ${String(state.size)}`)
      this.#roots.set(state.size, root)
      return CHECKPOINTS.sign(state)
    },
    open: (note) => CHECKPOINTS.open(note),
  }

  options(): Partial<LogOptions> {
    return { checkpoints: this.checkpoints, settleBytes: 15 }
  }

  saw(name: number, index: number, checkpoint: PublishedCheckpoint): void {
    assert.equal(this.acknowledged.get(name) ?? index, index, `entry ${String(name)} has two indexes`)
    this.acknowledged.set(name, index)
    if (this.#newest === undefined || checkpoint.size > this.#newest.size) this.#newest = checkpoint
  }

  async check(log: Log): Promise<void> {
    if (this.#newest !== undefined) await checkContinues(log, this.#newest)
    for (const [name, index] of this.acknowledged) {
      assert.equal((await append(log, name)).index, index, `entry ${String(name)} was acknowledged`)
    }
  }
}

async function base(): Promise<CrashFileSystem> {
  const fs = new CrashFileSystem()
  const log = await testLog(crashStorage(fs))
  await appendAll(log, range(0, BEFORE))
  await log.close()
  return fs
}

/** Appends a batch as clients do: what is uncertain is tried once more. Stops when the process is gone. */
async function appendBatch(log: Log, world: World, names: readonly number[]): Promise<void> {
  const results = await Promise.allSettled(names.map((name) => append(log, name)))
  for (const [at, result] of results.entries()) {
    const name = names[at]!
    if (result.status === 'fulfilled') {
      world.saw(name, result.value.index, result.value.checkpoint)
    } else {
      assert.ok(isCodedError(result.reason), String(result.reason))
      assert.ok(['TLOG_UNCERTAIN', 'TLOG_FAILED'].includes(result.reason.code), result.reason.code)
      if (isKilled(result.reason)) throw new Killed()
      const again = await append(log, name)
      world.saw(name, again.index, again.checkpoint)
    }
  }
}

function isKilled(error: unknown): boolean {
  return error instanceof Killed || (error instanceof Error && isKilled(error.cause))
}

/** A life: open, append, close, open again, append, close. A failed opening or closing is repeated, as an operator would. */
async function live(fs: CrashFileSystem, world: World): Promise<void> {
  for (const part of [BATCHES.slice(0, 3), BATCHES.slice(3)]) {
    const log = await openAgain(fs, world)
    for (const names of part) await appendBatch(log, world, names)
    await log.close().catch((error: unknown) => {
      if (isKilled(error)) throw error
    })
  }
}

async function openAgain(fs: CrashFileSystem, world: World): Promise<Log> {
  try {
    return await testLog(crashStorage(fs), world.options())
  } catch (error) {
    if (isKilled(error)) throw error
    return testLog(crashStorage(fs), world.options())
  }
}

/** After everything: a fresh start, no faults, and all must be there. */
async function inspect(fs: CrashFileSystem, world: World): Promise<void> {
  fs.heal()
  const storage = crashStorage(fs)
  const log = await testLog(storage, world.options())
  await world.check(log)
  await checkLog(log, storage)
  // The log still works, and nothing has two indexes.
  for (const names of BATCHES)
    for (const { index, checkpoint } of await appendAll(log, names)) assert.ok(checkpoint.size > index)
  assert.equal(log.checkpoint.size, 259)
  await log.close()
}

/** What a start has found and answered for must be as durable as what was appended: power fails once more right after it. */
async function inspectTwice(fs: CrashFileSystem, world: World): Promise<void> {
  fs.heal()
  const early = await testLog(crashStorage(fs), world.options())
  await world.check(early)
  for (const namesSurvive of [false, true]) {
    const later = fs.clone()
    later.powerFailure(namesSurvive)
    const log = await testLog(crashStorage(later), world.options())
    await checkContinues(log, early.checkpoint)
    assert.equal(log.checkpoint.size, early.checkpoint.size)
  }
  await inspect(fs, world)
}

const BASE = await base()
const unharmed = BASE.clone()
unharmed.heal()
await live(unharmed, new World())
const OPERATIONS = unharmed.operations
const TRACE = [...unharmed.trace]

test('the life that is put to the test has every kind of operation in it', () => {
  assert.ok(OPERATIONS > 100, String(OPERATIONS))
  const kinds = ['append', 'datasync', 'write', 'rename', 'remove', 'sync', 'openAppend', 'makeFolder']
  assert.deepEqual(
    kinds.filter((kind) => !TRACE.includes(kind as never)),
    [],
  )
})

const FAULTS: readonly Fault[] = ['failed', 'landed', 'torn']
for (const fault of FAULTS) {
  test(`every operation ${fault}, and the process lives on`, async () => {
    for (let at = 0; at < OPERATIONS; at++) {
      if (fault === 'torn' && TRACE[at] !== 'append' && TRACE[at] !== 'write') continue
      await attempt(`${fault} at ${String(at)} (${String(TRACE[at])})`, async () => {
        const [fs, world] = [BASE.clone(), new World()]
        fs.plan(at, fault, false)
        await live(fs, world)
        await inspect(fs, world)
      })
    }
  })
}

const ENDS: readonly { name: string; after: (fs: CrashFileSystem) => Promise<void> }[] = [
  { name: 'the process is killed', after: checkPublished },
  { name: 'power fails, and nothing that was not synced is left', after: async (fs) => fs.powerFailure(false) },
  { name: 'power fails, and new names are left without content', after: async (fs) => fs.powerFailure(true) },
]

/** A static web server goes on when the process is gone: what the checkpoint says can be read. */
async function checkPublished(fs: CrashFileSystem): Promise<void> {
  const objects = { get: (path: string) => fs.read(`/data/log/public/${path}`) }
  const { problems } = await fsck({ objects, rules: RULES, checkpoints: CHECKPOINTS })
  assert.deepEqual(problems, [])
}
for (const { name, after } of ENDS) {
  for (const fault of ['failed', 'torn'] as const) {
    test(`every operation is the last one, ${fault}: ${name}`, async () => {
      for (let at = 0; at < OPERATIONS; at++) {
        if (fault === 'torn' && TRACE[at] !== 'append' && TRACE[at] !== 'write') continue
        await attempt(`${fault} at ${String(at)} (${String(TRACE[at])})`, async () => {
          const [fs, world] = [BASE.clone(), new World()]
          fs.plan(at, fault, true)
          await untilKilled(live(fs, world))
          fs.heal()
          await after(fs)
          await inspectTwice(fs, world)
        })
      }
    })
  }
}

/** It may also have been killed while it did something that nobody waited for. */
async function untilKilled(life: Promise<void>): Promise<void> {
  try {
    await life
  } catch (error) {
    if (!isKilled(error)) throw error
  }
}

async function attempt(what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    throw new Error(what, { cause })
  }
}
