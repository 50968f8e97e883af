/** The files of a layout on this machine. @module */
import { randomBytes } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import type { LayoutFiles } from './oci-layout.js'
import type { LayoutStore } from './save.js'

/** Files below `directory`. A missing one is undefined; other faults are thrown as node has them. */
export function nodeLayoutFiles(directory: string): LayoutFiles {
  return {
    directory,
    read: async (path) => {
      const { readFile } = await import('node:fs/promises')
      return await absentAs(undefined, readFile(`${directory}/${path}`))
    },
    open: async (path) => {
      const { open } = await import('node:fs/promises')
      const file = await absentAs(undefined, open(`${directory}/${path}`))
      return file?.createReadStream({ highWaterMark: PIECE }) as AsyncIterable<Uint8Array> | undefined
    },
    list: async (path) => {
      const { readdir, stat } = await import('node:fs/promises')
      const names = await absentAs([], readdir(`${directory}/${path}`))
      return await Promise.all(
        names.map(async (name) => ({ name, size: (await stat(`${directory}/${path}/${name}`)).size })),
      )
    },
  }
}

const PIECE = 256 * 1024
/** Where files grow until they are whole; nothing looks for blobs there. */
const UNFINISHED = '.unfinished'
/** Nobody has been writing to a file for so long, in milliseconds, that nobody is any more: a host that is silent is given up sooner. */
const ABANDONED = 10 * 60_000

/** The same, to be written. What a process that was killed has left unfinished is removed by the next. */
export function nodeLayoutStore(directory: string): LayoutStore {
  const files = nodeLayoutFiles(directory)
  return {
    ...files,
    size: async (path) => {
      const { stat } = await import('node:fs/promises')
      return (await absentAs(undefined, stat(`${directory}/${path}`)))?.size
    },
    write: async (path, pieces) => {
      const { mkdir, open, rename, rm } = await import('node:fs/promises')
      const target = `${directory}/${path}`
      await mkdir(`${directory}/${UNFINISHED}`, { recursive: true })
      await mkdir(target.slice(0, target.lastIndexOf('/')), { recursive: true })
      const temporary = `${directory}/${UNFINISHED}/${encodeHex(randomBytes(8))}`
      const file = await open(temporary, 'wx')
      try {
        try {
          for await (const piece of pieces) await writeAll(file, piece)
          // Before it gets its name: after a crash what goes by a digest must have it.
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(temporary, target)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },
    tidy: async () => {
      const { readdir, rm, rmdir, stat } = await import('node:fs/promises')
      const folder = `${directory}/${UNFINISHED}`
      for (const name of await absentAs([], readdir(folder))) {
        const modified = (await absentAs(undefined, stat(`${folder}/${name}`)))?.mtimeMs ?? Infinity
        if (modified < Date.now() - ABANDONED) await rm(`${folder}/${name}`, { force: true })
      }
      await rmdir(folder).catch(() => undefined) // somebody else may be at work in it
    },
  }
}

async function writeAll(
  file: { write(bytes: Uint8Array, offset: number): Promise<{ readonly bytesWritten: number }> },
  piece: Uint8Array,
): Promise<void> {
  for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten
}

async function absentAs<T, A>(absent: A, pending: Promise<T>): Promise<T | A> {
  try {
    return await pending
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent
    throw error
  }
}
