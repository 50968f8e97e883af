/**
 * A process that appends to a log until it is killed, and says which entries were acknowledged.
 *
 *   node log-writer.js DIRECTORY ROUND
 *
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { encodeUtf8 } from '#encoding/utf8'
import { hashLeaf } from '#formats/merkle/hash'
import { openLog } from '#tlog/log'
import { posixStorage } from '#tlog/posix/open'
import { WRITER_RULES, writerCheckpoints, writerEntry } from './log-writer-parts.js'

const WRITERS = 24
const [directory = '', round = '0'] = process.argv.slice(2)

const log = await openLog({
  storage: posixStorage(directory),
  rules: WRITER_RULES,
  checkpoints: writerCheckpoints(),
  clock: Date.now,
  wait,
  // Settles all the time, so that it is killed there too.
  settleBytes: 4000,
})
process.stdout.write(`open ${String(log.checkpoint.size)}\n`)
let next = 0
await Promise.all(
  Array.from({ length: WRITERS }, async () => {
    for (;;) {
      const name = `${round}-${String(next++)}`
      const entry = writerEntry(name)
      const { index } = await log.append({ identity: hashLeaf(entry), entry, annotation: encodeUtf8(name) })
      process.stdout.write(`ack ${name} ${String(index)}\n`)
    }
  }),
)
