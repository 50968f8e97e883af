/** `countersign log fsck`. @module */
import { UpError } from '#services/up/errors'
import { checkLogs } from '#services/up/fsck'
import type { LogReport } from '#services/up/fsck'
import { encodeHex } from '#encoding/hex'
import { type Command, defineCommand } from '../kit/command.js'
import { dataDirectory } from '../up/data-directory.js'
import { readUpPassword } from '../up/password.js'

export const command: Command = defineCommand({
  name: 'log fsck',
  summary: 'Check the logs of a private Sigstore from their entries up',
  description:
    'Reads every entry and tile below the published checkpoint of each log, computes every hash again and compares. The instance may run meanwhile. Exit code 1 if anything is wrong.',
  flags: {
    data: {
      kind: 'path',
      placeholder: 'DIR',
      help: 'the data directory of the instance (default ~/.countersign/sigstore)',
    },
    'password-file': { kind: 'path', placeholder: 'FILE', help: 'file with the password of the keys' },
    output: {
      kind: 'string',
      short: 'o',
      default: 'text',
      choices: ['text', 'json'],
      help: 'how to tell what was found',
    },
  },
  withoutCosignEnvironment: true,
  longRunning: true,
  examples: [{ does: 'check the logs in this directory', run: 'log fsck --data ./sigstore' }],

  async run({ flags, host }) {
    const reports = await checkLogs({
      directory: dataDirectory(host, flags.data),
      password: await readUpPassword(host, flags['password-file']),
      clock: host.clock,
    })
    host.terminal.write(
      flags.output === 'json' ? `${JSON.stringify({ logs: reports.map(document) })}\n` : reports.map(describe).join(''),
    )
    const damaged = reports.filter(({ problems }) => problems.length > 0)
    if (damaged.length === 0) return 0
    if (flags.output === 'json') return 1
    throw new UpError('UP_LOG_DAMAGED', `${damaged.map(({ name }) => name).join(', ')} is damaged`, {
      hint: 'keep a copy of the directory before anything is changed; restore the damaged files from a backup',
    })
  },
})

function document({ name, size, rootHash, problems }: LogReport): Record<string, unknown> {
  return { name, size, rootHash: encodeHex(rootHash), problems }
}

function describe({ name, size, rootHash, problems }: LogReport): string {
  const lines = problems.map(({ kind, text }) => `  ${kind}: ${text}\n`).join('')
  return `${name.padEnd(12)} ${String(size)} entries, root ${encodeHex(rootHash)}: ${problems.length === 0 ? 'in order' : 'DAMAGED'}\n${lines}`
}
