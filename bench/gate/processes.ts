/** The processes of the benchmark: the gate and the floor under it on one core, the load on another. @module */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { FloorOrder } from './cold-floor.js'

const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'bin', 'countersign')
const GATE_CORE = '0'
const LOAD_CORE = '1'

/** Whether processes can be kept to one core each, so that the gate has one to itself. */
export const PINNED: boolean = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** Keeps this process, which is registry and client of the cold decisions, off the core of the gate. */
export function leaveCoreOfGate(): void {
  if (PINNED) spawnSync('taskset', ['-a', '-c', '-p', LOAD_CORE, String(process.pid)])
}

export interface Started {
  readonly pid: number
  /** The first line of its output. */
  readonly line: string
  stop(): Promise<void>
}

/** The real program over policies in files. */
export async function startGate(
  files: { readonly policies: readonly string[]; readonly root: string; readonly ca: string },
  ...more: readonly string[]
): Promise<Started & { readonly webhooks: string; readonly health: string }> {
  const args = [
    'admission',
    ...files.policies.flatMap((file) => ['--policy', file]),
    '--trusted-root',
    files.root,
    '--tls-ca-out',
    files.ca,
  ]
  const ports = ['--port', '0', '--health-port', '0', '--output', 'json']
  const started = await start(GATE_CORE, [PROGRAM, ...args, ...ports, ...more])
  return { ...started, ...(JSON.parse(started.line) as { webhooks: string; health: string }) }
}

/** The same server without a gate behind it. */
export async function startFloor(ca: string): Promise<Started> {
  return await start(GATE_CORE, [join(import.meta.dirname, 'floor.js'), ca])
}

/** What {@link import('./load.js')} is told and tells. */
export interface LoadOrder {
  readonly url: string
  /** Process of the server. */
  readonly pid: number
  readonly ca: string
  readonly bodies: string
  /** Requests a second; 0: as many as come back, 16 at once. */
  readonly rate: number
  readonly seconds: number
  /** How long as many as come back are asked before, over the same connections, without being counted. */
  readonly warmUp: number
}

export interface LoadResult {
  readonly asked: number
  readonly perSecond: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** The p99 of each second. */
  readonly tails: readonly number[]
  /** What a request costs the server, in milliseconds of the processor. */
  readonly processor: number
  /** Answers that were not `allowed`. */
  readonly refused: number
}

export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const started = await start(LOAD_CORE, [join(import.meta.dirname, 'load.js'), JSON.stringify(order)])
  await started.stop()
  return JSON.parse(started.line) as LoadResult
}

/** What the questions and signature checks of images take by themselves, in milliseconds. */
export async function coldFloor(order: FloorOrder, file: string): Promise<number> {
  writeFileSync(file, JSON.stringify(order))
  const started = await start(GATE_CORE, [join(import.meta.dirname, 'cold-floor.js'), file])
  await started.stop()
  return Number(started.line)
}

/** What a gate says of its own memory, in megabytes. */
export async function memoryOf({ health }: { readonly health: string }): Promise<string> {
  const text = await (await fetch(`${health}/metrics`)).text()
  const megabytes = (name: string): string => {
    const [, value = 'NaN'] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? []
    return (Number(value) / 1024 / 1024).toFixed(0).padStart(5)
  }
  return `RSS ${megabytes('process_resident_memory_bytes')} MB   heap ${megabytes('nodejs_heap_size_used_bytes')} MB`
}

async function start(core: string, args: readonly string[]): Promise<Started> {
  const words = PINNED ? ['taskset', '-c', core, process.execPath, ...args] : [process.execPath, ...args]
  const [program = '', ...rest] = words
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  const line = await firstLine(child, args.join(' '))
  return {
    pid: child.pid ?? 0,
    line,
    stop: async () => {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    let problems = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (problems = (problems + chunk).slice(-2000)))
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('exit', (code) => {
      reject(new Error(`${what} ended with ${String(code)}\n${problems}`))
    })
  })
}
