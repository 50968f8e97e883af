/** Running real programs: to their end, or as servers until a test is over. @module */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** How a program ended, and what it said. */
export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
}

const LIMIT_MS = 60_000

// A test that ends in the middle must not leave servers behind.
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Runs a program to its end. A program that hangs is killed and counts as code -1. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: 'pipe',
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  child.stdin.on('error', () => undefined) // a program that does not read its input closes it
  child.stdin.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, stdout: stdout(), stderr: stderr() }
}

/** Runs a program that must succeed, and returns its standard output. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${String(code)}\n${stdout}\n${stderr}`)
  return stdout
}

/** A server that runs until it is stopped. */
export interface Server {
  readonly output: () => string
  stop(): Promise<void>
  /** At once, in the middle of whatever it does. */
  kill(): Promise<void>
}

/** Starts a server and waits until `ready` finds what it waits for in the output. */
export async function serve<T>(
  command: string,
  args: readonly string[],
  ready: (output: string) => T | undefined | Promise<T | undefined>,
  options: RunOptions = {},
): Promise<Server & { readonly ready: T }> {
  const child = spawn(command, args, { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const chunks: string[] = []
  const output = (): string => chunks.join('')
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  }
  const deadline = Date.now() + 30_000
  for (;;) {
    const found = await ready(output())
    if (found !== undefined)
      return { ready: found, output, stop: () => end(child, 'SIGTERM'), kill: () => end(child, 'SIGKILL') }
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command} did not start:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}
