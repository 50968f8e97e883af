/** One writer a directory: a kernel lock where there is one, else a note of who has it. @module */
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import { join } from 'node:path'
import { TlogError } from '../errors.js'

/** Holds a directory until it is released or the process is gone, however it goes. */
export interface DirectoryLock {
  release(): Promise<void>
}

const LOCK_FILE = 'lock'

/**
 * Takes the directory for this process, creating it.
 *
 * `flock(2)` belongs to an open file, also one that was inherited: the `flock` program locks our descriptor and exits, and
 * the lock stays with us until the kernel closes the file, even after SIGKILL and across containers that share a volume.
 * Where there is no such program, a living process of this host named in the file counts as the holder.
 * @throws TlogError `TLOG_LOCKED`
 */
export async function lockDirectory(
  directory: string,
  options: { readonly flock?: string } = {},
): Promise<DirectoryLock> {
  fs.mkdirSync(directory, { recursive: true })
  const path = join(directory, LOCK_FILE)
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)
  try {
    const outcome = await flock(options.flock ?? 'flock', fd)
    const holder = readHolder(fd)
    if (outcome === 'held' || (outcome === 'unavailable' && holder !== undefined && isAlive(holder))) {
      throw locked(directory, holder)
    }
    writeHolder(fd)
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
  let open = true
  return {
    async release() {
      if (!open) return
      open = false
      fs.ftruncateSync(fd, 0)
      fs.closeSync(fd)
    },
  }
}

function flock(program: string, fd: number): Promise<'taken' | 'held' | 'unavailable'> {
  return new Promise((resolve) => {
    const child = spawn(program, ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
    child.once('error', () => resolve('unavailable'))
    child.once('exit', (code) => resolve(code === 0 ? 'taken' : code === 1 ? 'held' : 'unavailable'))
  })
}

/** Who wrote the lock file. A process id alone may have been given to somebody else since. */
interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process began, as the kernel counts; empty where it cannot be known. */
  readonly started: string
}

function readHolder(fd: number): Holder | undefined {
  const buffer = new Uint8Array(1024)
  const length = fs.readSync(fd, buffer, 0, buffer.length, 0)
  const [pid = '', host = '', started = ''] = new TextDecoder().decode(buffer.subarray(0, length)).split('\n')
  return /^[1-9]\d{0,9}$/.test(pid) ? { pid: Number(pid), host, started } : undefined
}

function writeHolder(fd: number): void {
  const text = `${String(ownPid())}\n${os.hostname()}\n${startOf(ownPid())}\n`
  fs.ftruncateSync(fd, 0)
  fs.writeSync(fd, text, 0)
}

function isAlive({ pid, host, started }: Holder): boolean {
  if (host !== os.hostname()) return true // cannot be known from here
  if (!exists(pid)) return false
  const now = startOf(pid)
  return now === '' || started === '' || now === started
}

function exists(pid: number): boolean {
  try {
    globalThis.process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Boot id and start time of a process (proc(5), stat field 22), on Linux. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
  } catch {
    return ''
  }
}

function ownPid(): number {
  return globalThis.process.pid
}

function locked(directory: string, holder: Holder | undefined): TlogError {
  const who = holder === undefined ? 'another process' : `process ${String(holder.pid)} on ${holder.host}`
  return new TlogError('TLOG_LOCKED', `the directory is in use: ${directory}`, {
    expected: 'to be its only writer',
    found: who,
    hint: 'stop that process, or use another data directory',
  })
}
