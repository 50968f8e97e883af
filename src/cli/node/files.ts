/** The file system of this machine. @module */
// Synchronous calls: these files are small, and node:fs/promises alone would cost more at start-up than using it here saves.
import {
  closeSync,
  createReadStream,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CliError } from '../kit/errors.js'
import type { FileStore } from '../kit/host.js'

/** Opens the file system. */
export function nodeFiles(): FileStore {
  return {
    read: async (path) => {
      try {
        return readFileSync(path)
      } catch (error) {
        throw fileError('open', path, error)
      }
    },
    stream: (path) => streamFile(path),
    write: async (path, content, { mode = 0o600 } = {}) => {
      try {
        replaceFile(path, content, mode)
      } catch (error) {
        throw fileError('write', path, error)
      }
    },
    exists: async (path) => {
      try {
        statSync(path)
        return true
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false
        throw fileError('open', path, error)
      }
    },
    remove: async (path) => {
      try {
        rmSync(path, { recursive: true, force: true })
      } catch (error) {
        throw fileError('remove', path, error)
      }
    },
  }
}

async function* streamFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw errnoOf(error) === undefined ? error : fileError('open', path, error)
  }
}

/** Writes beside the file and renames, so that nobody ever reads half of it. Devices and pipes are written as they are. */
function replaceFile(path: string, content: Uint8Array | string, mode: number): void {
  const existing = statSync(path, { throwIfNoEntry: false })
  if (existing !== undefined && !existing.isFile()) {
    writeFileSync(path, content)
    return
  }
  const target = existing === undefined ? path : realpathSync(path) // a link stays a link
  const temporary = join(dirname(target), `.${basename(target)}.${String(process.pid)}.tmp`)
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  try {
    try {
      writeFileSync(file, content)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'is a directory'],
  ['ENOTDIR', 'not a directory'],
  ['ENOSPC', 'no space left on device'],
  ['EROFS', 'read-only file system'],
])

function fileError(verb: string, path: string, error: unknown): CliError {
  const errno = errnoOf(error)
  const reason = REASONS.get(errno ?? '') ?? errno ?? 'unknown reason'
  return new CliError(errno === 'ENOENT' ? 'CLI_FILE_MISSING' : 'CLI_FILE', `${verb} ${path}: ${reason}`, {
    cause: error,
  })
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
