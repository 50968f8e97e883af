/** The file system of this machine. @module */
import { createReadStream } from 'node:fs'
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CliError } from '../kit/errors.js'
import type { FileStore } from '../kit/host.js'

/** Opens the file system. */
export function nodeFiles(): FileStore {
  return {
    read: async (path) => {
      try {
        return await readFile(path)
      } catch (error) {
        throw fileError('open', path, error)
      }
    },
    stream: (path) => streamFile(path),
    write: async (path, content, { mode = 0o600 } = {}) => {
      try {
        await replaceFile(path, content, mode)
      } catch (error) {
        throw fileError('write', path, error)
      }
    },
    exists: async (path) => {
      try {
        await stat(path)
        return true
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false
        throw fileError('open', path, error)
      }
    },
    remove: async (path) => {
      try {
        await rm(path, { recursive: true, force: true })
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
async function replaceFile(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const existing = await stat(path).catch(() => undefined)
  if (existing !== undefined && !existing.isFile()) {
    const device = await open(path, 'w')
    await device.writeFile(content).finally(() => device.close())
    return
  }
  const target = existing === undefined ? path : await realpath(path) // a link stays a link
  const temporary = join(dirname(target), `.${basename(target)}.${String(process.pid)}.tmp`)
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(content)
    await file.close()
    await rename(temporary, target)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(temporary, { force: true })
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
