/** The file system of the host. @module */
import * as fs from 'node:fs'
import { promisify } from 'node:util'
import type { AppendFile, FileSystem } from './file-system.js'

const read = promisify(fs.read)
const open = promisify(fs.open)
const close = promisify(fs.close)
const fsync = promisify(fs.fsync)
const fdatasync = promisify(fs.fdatasync)
const readdir = promisify(fs.readdir)
const remove = promisify(fs.rm)

/** Only the owner may read what is not published, and only they may write anything. */
const FILE_MODE = 0o644
const FOLDER_MODE = 0o755

/**
 * What is done in the kernel's memory is synchronous: it takes microseconds, and a hop to the thread pool takes more.
 * Whatever has to wait for a disk is not.
 */
export const nodeFileSystem: FileSystem = {
  async read(path) {
    let fd: number
    try {
      fd = fs.openSync(path, 'r')
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw error
    }
    try {
      return await readAll(fd, fs.fstatSync(fd).size)
    } finally {
      fs.closeSync(fd)
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

async function readAll(fd: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let done = 0
  while (done < size) {
    const { bytesRead } = await read(fd, bytes, done, size - done, done)
    if (bytesRead === 0) return bytes.subarray(0, done)
    done += bytesRead
  }
  return bytes
}

class NodeAppendFile implements AppendFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  async append(bytes: Uint8Array): Promise<void> {
    let done = 0
    while (done < bytes.length) done += fs.writeSync(this.#fd, bytes, done, bytes.length - done)
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
