/** Where a client keeps TUF metadata and targets between runs. @module */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * A small store of files by relative name (`root.json`, `targets/trusted_root.json`).
 * A write is seen whole or not at all, also by other processes; the last of several writers wins, which is harmless, since
 * everything that is read is verified again.
 */
export interface TufStore {
  /** Undefined when there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>
  write(name: string, bytes: Uint8Array): Promise<void>
}

/** A store that forgets. */
export function memoryTufStore(files: Map<string, Uint8Array> = new Map<string, Uint8Array>()): TufStore {
  return {
    read: (name) => Promise.resolve(files.get(name)),
    write: (name, bytes) => {
      files.set(name, bytes)
      return Promise.resolve()
    },
  }
}

/** A store in a directory, made when it is needed. Needs no locks: files are put into place by renaming. */
export function fileTufStore(directory: string): TufStore {
  return {
    read: async (name) => {
      try {
        return new Uint8Array(await readFile(join(directory, name)))
      } catch (error) {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
        throw error
      }
    },
    write: async (name, bytes) => {
      const path = join(directory, name)
      const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      try {
        await writeFile(temporary, bytes, { mode: 0o600 })
        await rename(temporary, path)
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined)
        throw error
      }
    },
  }
}

/**
 * Puts files in the place of those in a directory that are `old`. All of it is on disk before anything old goes: a full disk leaves
 * the old files. A crash between leaves neither, and what was fetched has to be fetched again. The directory itself stays: it
 * may be where a volume is mounted.
 */
export async function replaceFiles(
  directory: string,
  files: ReadonlyMap<string, Uint8Array>,
  old: (name: string, all: readonly string[]) => boolean,
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const fresh = join(directory, `.new-${randomBytes(6).toString('hex')}`)
  try {
    const store = fileTufStore(fresh)
    for (const [name, bytes] of files) await store.write(name, bytes)
    const [present, added] = [await readdir(directory), await readdir(fresh)]
    const obsolete = present.filter((name) => added.includes(name) || name.startsWith('.new-') || old(name, present))
    for (const name of obsolete) {
      if (join(directory, name) !== fresh) await rm(join(directory, name), { recursive: true, force: true })
    }
    for (const name of added) await rename(join(fresh, name), join(directory, name))
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/**
 * Reads from the store, and writes to it as long as that works; what cannot be written is kept in memory, so that a client
 * works in a read-only container, or without a home.
 * @param onFallback is told once, with the reason
 */
export function withMemoryFallback(store: TufStore, onFallback?: (reason: string) => void): TufStore {
  const memory = memoryTufStore()
  let told = false
  const attempt = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write()
    } catch (error) {
      if (!told) onFallback?.(codeOf(error) ?? 'unknown error')
      told = true
    }
  }
  return {
    read: async (name) => (await memory.read(name)) ?? (await readable(store, name)),
    write: async (name, bytes) => {
      await memory.write(name, bytes)
      await attempt(() => store.write(name, bytes))
    },
  }
}

/** A cache that cannot be read is no cache. */
async function readable(store: TufStore, name: string): Promise<Uint8Array | undefined> {
  try {
    return await store.read(name)
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
