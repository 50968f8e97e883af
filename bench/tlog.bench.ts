/**
 * The log engine against the floor of its disk: the same bytes appended and fdatasync'ed with nothing else, in one run.
 * @module
 */
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { hashLeaf } from '#formats/merkle/hash'
import { fsck } from '#tlog/fsck'
import { openLog } from '#tlog/log'
import type { Log } from '#tlog/log'
import { noteCheckpoints } from '#tlog/note-checkpoints'
import { posixStorage } from '#tlog/posix/open'
import { proveEntry } from '#tlog/proven-entry'

const ENTRY_SIZE = 500
const sync = promisify(fdatasync)
const root = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'countersign-bench-'))
const key = await generatePrivateKey('ed25519')
const checkpoints = noteCheckpoints({ origin: 'bench.example', key, rule: 'note' })
const rules = { identity: hashLeaf }

interface Rate {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** The floor: `count` entries in groups as large as the log's batches were, each group appended and synced. */
async function floor(count: number, group: number): Promise<Rate> {
  const file = openSync(join(root, `floor-${String(group)}`), 'a')
  const bytes = randomBytes(ENTRY_SIZE * group)
  const times: number[] = []
  const start = performance.now()
  for (let done = 0; done < count; done += group) {
    const before = performance.now()
    writeSync(file, bytes)
    await sync(file)
    times.push(performance.now() - before)
  }
  closeSync(file)
  return rate(count, performance.now() - start, times)
}

/** `writers` clients, each with one entry under way at a time. */
async function appending(
  name: string,
  { writers, count }: { writers: number; count: number },
): Promise<Rate & { batch: number }> {
  const storage = posixStorage(join(root, name))
  let commits = 0
  const commit = storage.commit.bind(storage)
  storage.commit = (one) => {
    commits++
    return commit(one)
  }
  const log = await openLog({ storage, rules, checkpoints, clock: Date.now, wait })
  // Random bytes are made beforehand: they cost as much as an append.
  const entries = Array.from({ length: count }, () => randomBytes(ENTRY_SIZE))
  const times: number[] = []
  const start = performance.now()
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
        const before = performance.now()
        await log.append({ identity: hashLeaf(entry), entry })
        times.push(performance.now() - before)
      }
    }),
  )
  const result = rate(count, performance.now() - start, times)
  await log.close()
  return { ...result, batch: Math.max(1, Math.round(count / commits)) }
}

function rate(count: number, millis: number, times: number[]): Rate {
  times.sort((a, b) => a - b)
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
  return { perSecond: (count / millis) * 1000, p50: at(0.5), p99: at(0.99) }
}

function line(name: string, { perSecond, p50, p99 }: Rate, rest = ''): void {
  const numbers = [
    `${perSecond.toFixed(0).padStart(8)} entries/s`,
    `p50 ${p50.toFixed(2)} ms`,
    `p99 ${p99.toFixed(2)} ms`,
  ]
  console.log(`${name.padEnd(34)} ${numbers.join('  ')}  ${rest}`)
}

async function timed<T>(run: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now()
  const value = await run()
  return [value, performance.now() - start]
}

async function proofs(log: Log, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await proveEntry(log, Math.floor((i * 7919) % log.checkpoint.size))
}

try {
  console.log(`tlog: entries of ${String(ENTRY_SIZE)} bytes, in ${root}`)
  for (const { writers, count } of [
    { writers: 1, count: 300 },
    { writers: 32, count: 6000 },
    { writers: 256, count: 30_000 },
    { writers: 4096, count: 100_000 },
  ]) {
    const result = await appending(`log-${String(writers)}`, { writers, count })
    const base = await floor(count, result.batch)
    line(`append + fdatasync, groups of ${String(result.batch)}`, base)
    line(`log, ${String(writers)} writers`, result, `${(result.perSecond / base.perSecond).toFixed(2)}× the floor`)
  }
  const directory = join(root, 'log-4096')
  const [log, opening] = await timed(() =>
    openLog({ storage: posixStorage(directory), rules, checkpoints, clock: Date.now, wait }),
  )
  const { size } = log.checkpoint
  const [, proving] = await timed(() => proofs(log, 20_000))
  await log.close()
  console.log(
    `open a log of ${String(size)} entries: ${opening.toFixed(0)} ms; proven entries: ${((20_000 / proving) * 1000).toFixed(0)}/s`,
  )
  const [report, checking] = await timed(() => fsck({ objects: posixStorage(directory), rules, checkpoints }))
  if (report.problems.length > 0) throw new Error('fsck found problems')
  console.log(`fsck: ${((report.size / checking) * 1000).toFixed(0)} entries/s`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
