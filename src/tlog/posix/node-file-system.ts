/** The file system of the host. @module */
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import type { AppendFile, FileSystem } from './file-system.js'

const readFile = promisify(fs.readFile)
const open = promisify(fs.open)
const close = promisify(fs.close)
const write = promisify(fs.write)
const fsync = promisify(fs.fsync)
const fdatasync = promisify(fs.fdatasync)
const readdir = promisify(fs.readdir)
const remove = promisify(fs.rm)

/** Only the owner may read what is not published, and only they may write anything. */
const FILE_MODE = 0o644
const FOLDER_MODE = 0o755

/**
 * Writes that only reach the page cache are synchronous: they take microseconds, and the thread pool takes more.
 * Whatever waits for a disk is not.
 */
export const nodeFileSystem: FileSystem = {
  async read(path) {
    try {
      return await readFile(path)
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
  },
  async write(path, bytes) {
    fs.writeFileSync(path, bytes, { mode: FILE_MODE })
  },
  async rename(from, to) {
    fs.renameSync(from, to)
  },
  async remove(path) {
    await remove(path, { force: true, recursive: true })
  },
  async list(path) {
    try {
      return await readdir(path)
    } catch (error) {
      if (isAbsent(error)) return []
      throw error
    }
  },
  async makeFolder(path) {
    fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE })
  },
  async sync(path) {
    const fd = await open(path, 'r')
    try {
      await fsync(fd)
    } finally {
      await close(fd)
    }
  },
  async openAppend(path) {
    return new NodeAppendFile(await open(path, 'a', FILE_MODE))
  },
}

class NodeAppendFile implements AppendFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await write(this.#fd, bytes, done, bytes.length - done)
      done += bytesWritten
    }
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd)
  }

  close(): Promise<void> {
    return close(this.#fd)
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
