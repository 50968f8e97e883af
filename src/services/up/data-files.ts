/** Files of the data directory: written whole or not at all, and readable by nobody else. @module */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { encodeHex } from '#encoding/hex'
import type { RandomSource } from '#crypto/random'

/** The few file operations of `up`, so that tests can do without a disk. Paths are relative to the data directory. */
export interface DataFiles {
  /** Undefined if there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Durable and complete when it resolves; a crash before that leaves the old content or none. */
  write(path: string, content: Uint8Array | string): Promise<void>
  /** No error if there is none. */
  remove(path: string): Promise<void>
  /** True if only the owner can read the file, or if the system cannot tell. */
  isPrivate(path: string): Promise<boolean>
}

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

/** Files below a directory, which is made by the first write. */
export function openDataFiles(root: string, random: RandomSource): DataFiles {
  return {
    async read(path) {
      try {
        return new Uint8Array(await readFile(join(root, path)))
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
    },
    async write(path, content) {
      const target = join(root, path)
      const made = await mkdir(dirname(target), { recursive: true, mode: FOLDER_MODE })
      const temporary = `${target}.${encodeHex(random(8))}.tmp`
      const file = await open(temporary, 'wx', FILE_MODE)
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, target)
      await syncFolder(dirname(target))
      if (made !== undefined) await syncFolder(dirname(dirname(target)))
    },
    remove: (path) => rm(join(root, path), { force: true }),
    async isPrivate(path) {
      const { mode } = await stat(join(root, path))
      return process.platform === 'win32' || (mode & 0o077) === 0
    },
  }
}

/** Files that live as long as the process. */
export function memoryDataFiles(): DataFiles {
  const files = new Map<string, Uint8Array>()
  return {
    read: (path) => Promise.resolve(files.get(path)),
    write: (path, content) => {
      files.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content)
      return Promise.resolve()
    },
    remove: (path) => {
      files.delete(path)
      return Promise.resolve()
    },
    isPrivate: () => Promise.resolve(true),
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
