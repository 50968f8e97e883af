/** Where a TUF repository lies: files that any web server could serve. @module */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Files by path below the repository. A write is durable when it returns, and readers see the old file or the new one,
 * never a part. There is one writer.
 */
export interface RepositoryStorage {
  /** Undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>
  write(path: string, bytes: Uint8Array): Promise<void>
}

/** A repository that is gone with the process. */
export function memoryRepositoryStorage(): RepositoryStorage {
  const files = new Map<string, Uint8Array>()
  return {
    read: (path) => Promise.resolve(files.get(path)),
    write: (path, bytes) => {
      files.set(path, bytes)
      return Promise.resolve()
    },
  }
}

/** A repository in a directory. */
export function directoryRepositoryStorage(directory: string): RepositoryStorage {
  return {
    read: async (path) => {
      try {
        return new Uint8Array(await readFile(join(directory, path)))
      } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR'))
          return undefined
        throw error
      }
    },
    write: (path, bytes) => replaceFile(join(directory, path), bytes),
  }
}

/** Written beside, synced, renamed into place, and the directory synced: a crash leaves the old file or the new one. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const parent = dirname(path)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  await mkdir(parent, { recursive: true })
  try {
    const file = await open(temporary, 'wx', 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  const parentHandle = await open(parent, 'r')
  try {
    await parentHandle.sync()
  } finally {
    await parentHandle.close()
  }
}
