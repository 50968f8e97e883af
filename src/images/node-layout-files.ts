/** The files of a layout on this machine. @module */
import { randomBytes } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import { ImagesError } from './images-error.js'
import type { LayoutFiles } from './oci-layout.js'
import type { LayoutStore } from './save.js'

/** Files below `directory`. A missing one is undefined; other faults are ImagesErrors `IMAGES_FILE`. */
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
export function nodeLayoutStore(directory: string, clock: Clock): LayoutStore {
  const files = nodeLayoutFiles(directory)
  return {
    ...files,
    size: async (path) => {
      const { stat } = await import('node:fs/promises')
      return (await absentAs(undefined, stat(`${directory}/${path}`)))?.size
    },
    write: async (path, pieces) => {
      try {
        await writeFile(directory, path, pieces)
      } catch (error) {
        throw fileFault(error)
      }
    },
    tidy: async () => {
      const { readdir, rm, rmdir, stat } = await import('node:fs/promises')
      const folder = `${directory}/${UNFINISHED}`
      for (const name of await absentAs([], readdir(folder))) {
        const modified = (await absentAs(undefined, stat(`${folder}/${name}`)))?.mtimeMs ?? Infinity
        if (modified < clock() - ABANDONED) await rm(`${folder}/${name}`, { force: true })
      }
      await rmdir(folder).catch(() => undefined) // somebody else may be at work in it
    },
  }
}

/** Aside first, and under its name when it is whole. */
async function writeFile(directory: string, path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
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
}

async function writeAll(
  file: { write(bytes: Uint8Array, offset: number): Promise<{ readonly bytesWritten: number }> },
  piece: Uint8Array,
): Promise<void> {
  for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten
}

/** What is not there is `absent`. @throws ImagesError `IMAGES_FILE` for other faults of the file system */
async function absentAs<T, A>(absent: A, pending: Promise<T>): Promise<T | A> {
  try {
    return await pending
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return absent
    throw fileFault(error)
  }
}

function fileFault(cause: unknown): unknown {
  const errno = errnoOf(cause)
  if (errno === undefined) return cause
  const { path = '' } = cause as NodeJS.ErrnoException
  return new ImagesError('IMAGES_FILE', `${path === '' ? 'a file of the layout' : path} cannot be read or written`, {
    found: errno,
    hint: FILE_HINTS.get(errno),
    cause,
  })
}

const FILE_HINTS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'There is no space left; what has been saved so far is kept, and need not be fetched again.'],
  ['ENOTDIR', 'Give a folder; there is a file of that name.'],
  ['EEXIST', 'Give a folder; there is a file of that name.'],
])

function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || isCodedError(error)) return undefined
  const { code, syscall } = error as NodeJS.ErrnoException
  return syscall === undefined ? undefined : code
}
