/** The program: finds the command, loads its chunk and nothing else, and runs it. @module */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, CommandData } from './kit/command.js'
import { describeFailure, exitCodeFor } from './kit/failure.js'
import { overviewHelp } from './kit/help.js'
import type { Host } from './kit/host.js'
import { locateCommand } from './kit/locate.js'
import { bolder, runCommand } from './kit/run.js'
import { loadChunk } from './node/chunk.js'
import { nodeHost } from './node/host.js'

// The build puts one chunk a command beside this file, and the data of all commands into commands.json.
const chunks = join(import.meta.dirname, 'commands')

function chunkOf(name: string): string {
  return join(chunks, `${name.replace(' ', '-')}.cjs`)
}

function loadCommand(name: string): Command | undefined {
  const path = chunkOf(name)
  if (!existsSync(path)) return undefined
  const { command } = loadChunk(path) as { readonly command: Command }
  return command.name === name ? command : undefined // `public key` is not `public-key`
}

function definitions(): readonly CommandData[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'commands.json'), 'utf8')) as readonly CommandData[]
}

async function main(words: readonly string[], host: Host): Promise<number> {
  try {
    const found = new Map<string, Command | undefined>()
    const commandNamed = (name: string): Command | undefined => {
      if (!found.has(name)) found.set(name, loadCommand(name))
      return found.get(name)
    }
    const located = locateCommand(words, {
      has: (name) => commandNamed(name) !== undefined,
      all: () => definitions().map(({ name }) => name),
    })
    const command = located.kind === 'command' ? commandNamed(located.name) : undefined
    if (located.kind === 'command' && command !== undefined) {
      return await runCommand(command, located.words, command.longRunning === true ? untilInterrupted(host) : host)
    }
    const group = located.kind === 'overview' ? located.group : undefined
    const style = { columns: host.terminal.columns, bold: bolder(host, host.terminal.stdoutIsTty) }
    host.terminal.write(overviewHelp(definitions(), style, group))
    return 0
  } catch (error) {
    host.terminal.note(describeFailure(error, { bold: bolder(host, host.terminal.stderrIsTty), verbose: false }))
    return exitCodeFor(error)
  }
}

/** The first interrupt asks the command to stop, the second one ends the process at once. */
function untilInterrupted(host: Host): Host {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort()
      process.once(name, () => process.exit(130))
    })
  }
  return { ...host, interrupted: controller.signal }
}

void main(process.argv.slice(2), nodeHost(process.env, definitions)).then((code) => {
  // Everything printed is out already; what may still be open (kept-alive connections) must not hold the process.
  process.exit(code)
})
