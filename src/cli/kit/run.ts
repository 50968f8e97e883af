/** Runs one command: parse, bind, run, and turn what happened into an exit code. @module */
import type { Command, Invocation } from './command.js'
import { startDeadline } from './deadline.js'
import { bindFlags, type BoundFlags } from './environment.js'
import { UsageError } from './errors.js'
import { describeFailure, exitCodeFor, failureDocument } from './failure.js'
import { commandHelp } from './help.js'
import type { Host, Terminal } from './host.js'
import { parseArguments } from './parse.js'

/**
 * Runs a command on a host and returns the exit code. Never throws: every failure has been told on standard error.
 * @param words what follows the command's name.
 */
export async function runCommand(command: Command, words: readonly string[], host: Host): Promise<number> {
  let bound: BoundFlags | undefined
  try {
    const parsed = parseArguments(command, words)
    if (parsed.values.get('help') === true || parsed.values.get('help-all') === true) {
      const { columns, stdoutIsTty } = host.terminal
      const full = parsed.values.get('help-all') === true
      host.terminal.write(commandHelp(command, { columns, full, bold: bolder(host, stdoutIsTty) }))
      return 0
    }
    bound = bindFlags(command, parsed, host.environment)
    if (command.deprecated !== undefined) {
      host.terminal.note(`Command "${command.name}" is deprecated, ${command.deprecated}`)
    }
    for (const warning of bound.warnings) host.terminal.note(warning)
    checkArguments(command, parsed.args)
    return await withOutputFile(command, { args: parsed.args, bound, host })
  } catch (error) {
    return reportFailure(error, { command, bound, host })
  }
}

function checkArguments(command: Command, args: readonly string[]): void {
  const { min = 0, max = 0, usage } = command.args ?? { usage: '' }
  if (args.length >= min && args.length <= max) return
  const many = (count: number): string => `${String(count)} argument${count === 1 ? '' : 's'}`
  const wanted =
    max === 0
      ? 'no arguments'
      : min === max
        ? many(min)
        : max === Infinity
          ? `at least ${many(min)}`
          : `${String(min)} to ${many(max)}`
  throw new UsageError('USAGE_ARGUMENTS', `${command.name} takes ${wanted}, ${String(args.length)} given`, {
    expected: `countersign ${command.name} [flags] ${usage}`.trim(),
    hint: `"countersign ${command.name} --help" shows examples`,
  })
}

interface Prepared {
  readonly args: readonly string[]
  readonly bound: BoundFlags
  readonly host: Host
}

/** With `--output-file`, what the command prints is written to the file when the command is through. */
async function withOutputFile(command: Command, prepared: Prepared): Promise<number> {
  const path = prepared.bound.flags['output-file']
  if (typeof path !== 'string') return await runTimed(command, prepared)
  const pieces: Uint8Array[] = []
  const terminal = capturing(prepared.host.terminal, pieces)
  try {
    return await runTimed(command, { ...prepared, host: { ...prepared.host, terminal } })
  } finally {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const content = new Uint8Array(size)
    let at = 0
    for (const piece of pieces) {
      content.set(piece, at)
      at += piece.length
    }
    await prepared.host.files.write(path, content, { mode: 0o600 })
  }
}

function capturing(terminal: Terminal, pieces: Uint8Array[]): Terminal {
  return Object.create(terminal, {
    stdoutIsTty: { value: false },
    write: {
      value: (output: string | Uint8Array) =>
        pieces.push(typeof output === 'string' ? new TextEncoder().encode(output) : output),
    },
  }) as Terminal
}

async function runTimed(command: Command, { args, bound, host }: Prepared): Promise<number> {
  const { flags, changed } = bound
  const timeout = flags['timeout']
  const verbose = flags['verbose'] === true
  const hurried = command.unhurried !== true || changed.has('timeout')
  const limited = command.longRunning !== true && hurried && typeof timeout === 'number'
  const deadline = limited ? startDeadline(timeout, host) : undefined
  const signal = deadline?.signal ?? host.interrupted
  const invocation: Invocation = { args, flags, changed, host, signal, verbose }
  try {
    const running = command.run(invocation)
    return (await (deadline === undefined ? running : Promise.race([running, deadline.passed]))) ?? 0
  } finally {
    deadline?.cancel()
  }
}

function reportFailure(
  error: unknown,
  { command, bound, host }: { readonly command: Command; readonly bound: BoundFlags | undefined; readonly host: Host },
): number {
  const { terminal } = host
  // Only where it was asked for: without the flag, standard output of a failed command stays empty, as with cosign.
  if (bound?.flags['output'] === 'json' && bound.changed.has('output')) {
    terminal.write(`${JSON.stringify(failureDocument(error, command.failureExitCode))}\n`)
  }
  const verbose = bound?.flags['verbose'] === true
  terminal.note(describeFailure(error, { bold: bolder(host, terminal.stderrIsTty), verbose }))
  return exitCodeFor(error, command.failureExitCode)
}

/** Bold text where it is wanted: on a terminal, unless NO_COLOR says otherwise (no-color.org). */
export function bolder(host: Pick<Host, 'environment'>, isTty: boolean): (text: string) => string {
  const plain = !isTty || (host.environment['NO_COLOR'] ?? '') !== '' || host.environment['TERM'] === 'dumb'
  return plain ? (text) => text : (text) => `\u001b[1m${text}\u001b[22m`
}
