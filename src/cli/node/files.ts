/** The file system of this machine. @module */
// Synchronous calls: these files are small, and node:fs/promises alone would cost more at start-up than using it here saves.
import {
  closeSync,
  createReadStream,
  type Dirent,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CliError } from '../kit/errors.js'
import type { FileStore, FolderEntry } from '../kit/host.js'

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
    write: async (path, content, { mode = 0o600, folders } = {}) => {
      try {
        if (folders === true) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
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
    list: async (folder) => {
      try {
        const entries = readdirSync(folder, { withFileTypes: true }).map((entry) => describeEntry(folder, entry))
        return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return []
        throw fileError('open', folder, error)
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

function describeEntry(folder: string, entry: Dirent): FolderEntry {
  const { name } = entry
  if (!entry.isSymbolicLink()) return { name, kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other' }
  try {
    const target = statSync(join(folder, name))
    return { name, link: true, kind: target.isFile() ? 'file' : target.isDirectory() ? 'folder' : 'other' }
  } catch {
    return { name, link: true, kind: 'other' } // it leads nowhere, or in a circle
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
