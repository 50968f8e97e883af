/** The real program as a server, for tests: started, asked, stopped and killed. @module */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'countersign')

const { NODE_EXTRA_CA_CERTS: _, COUNTERSIGN_PASSWORD: __, ...environment } = process.env

/** What `up --output json` prints. */
export interface UpDocument {
  readonly url: string
  readonly issuer: string
  readonly directory: string
  readonly registry: string
  readonly tuf: { readonly mirror: string; readonly root: string }
}

export interface UpProcess extends UpDocument {
  /** From start to the line that says it is ready, in milliseconds. */
  readonly readyMillis: number
  readonly stderr: () => string
  /** Asks it to stop; resolves to its exit code. */
  stop(): Promise<number | null>
  /** kill -9. */
  kill(): Promise<void>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command of countersign to its end. */
export async function countersign(args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...environment, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout(), stderr: stderr() }
}

/** Starts an instance and waits until it is ready. */
export async function startUp(args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<UpProcess> {
  const started = performance.now()
  const child = spawn(process.execPath, [PROGRAM, 'up', '--output', 'json', ...args], {
    env: { ...environment, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stderr = collect(child.stderr)
  const document = JSON.parse(await firstLine(child, stderr)) as UpDocument
  const readyMillis = performance.now() - started
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
    return child.exitCode
  }
  return {
    ...document,
    readyMillis,
    stderr,
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL')
    },
  }
}

function firstLine(child: ChildProcess, stderr: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('exit', (code) => {
      reject(new Error(`up ended with ${String(code)}: ${stderr()}`))
    })
  })
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return () => text
}
