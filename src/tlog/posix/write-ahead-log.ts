/** The write-ahead log: segments of commit frames. Appending a frame to it is what makes a tree bigger. @module */
import { join } from 'node:path'
import { concatBytes } from '#encoding/bytes'
import { TlogError } from '../errors.js'
import type { Commit, TreeState } from '../storage.js'
import { decodeSegment, encodeCommit } from './commit-frame.js'
import type { AppendFile, FileSystem } from './file-system.js'

/** A segment is named after the size of the tree that it goes on from. */
const SEGMENT_NAME = /^\d{16}$/

/** See {@link WriteAheadLog.append}. */
export class WriteAheadLog {
  readonly #fs: FileSystem
  readonly #folder: string
  #segment: Promise<AppendFile> | undefined

  constructor(fs: FileSystem, folder: string) {
    this.#fs = fs
    this.#folder = folder
  }

  /**
   * Reads the commits after `settled` and writes them once more into a new segment: after a failed fsync, what can be
   * read back is not always on the disk, and it must be before anybody is told of it.
   * @throws TlogError `TLOG_WAL_CORRUPT`
   */
  async open(settled: TreeState): Promise<readonly Commit[]> {
    await this.close()
    await this.#fs.makeFolder(this.#folder)
    const names = (await this.#fs.list(this.#folder)).filter((name) => SEGMENT_NAME.test(name)).sort()
    const commits = await this.#readAll(names, settled)
    const name = segmentName(settled.size)
    await this.#rewrite(name, commits)
    for (const old of names) if (old !== name) await this.#fs.remove(this.#path(old))
    this.#segment = this.#fs.openAppend(this.#path(name))
    await this.#segment
    return commits
  }

  /**
   * THE COMMIT POINT. Before this resolves, the tree is as it was; afterwards, the entries and the new state are durable,
   * and everything else (tiles, tables, checkpoint) follows from them. A crash inside leaves one or the other.
   */
  async append(commit: Commit): Promise<void> {
    const segment = await this.#current()
    await segment.append(encodeCommit(commit))
    await segment.sync()
  }

  /** Starts a new segment; appends wait for it. */
  async rotate(size: number): Promise<void> {
    const old = this.#current()
    this.#segment = this.#create(segmentName(size))
    // A rejection is seen by this caller, and again by the next append.
    await this.#segment
    await (await old).close()
  }

  /** Removes the segments before the one that goes on from `size`. */
  async forget(size: number): Promise<void> {
    for (const name of await this.#fs.list(this.#folder)) {
      if (SEGMENT_NAME.test(name) && name < segmentName(size)) await this.#fs.remove(this.#path(name))
    }
  }

  async close(): Promise<void> {
    const segment = this.#segment
    this.#segment = undefined
    try {
      await (await segment)?.close()
    } catch {
      // It could not be opened or closed: whatever it holds is read again by the next open.
    }
  }

  async #readAll(names: readonly string[], settled: TreeState): Promise<readonly Commit[]> {
    const commits: Commit[] = []
    let head = settled
    for (const [i, name] of names.entries()) {
      const bytes = (await this.#fs.read(this.#path(name))) ?? new Uint8Array(0)
      const segment = decodeSegment(bytes)
      if (segment.wholeBytes < bytes.length && i < names.length - 1) throw corrupt(`segment ${name} is cut short`)
      for (const commit of segment.commits) {
        // Segments overlap after a crash between writing a new one and removing the old ones.
        if (commit.next.size <= head.size) continue
        if (commit.previous.size !== head.size)
          throw corrupt(`a commit on a tree of ${String(commit.previous.size)}`, head.size)
        commits.push(commit)
        head = commit.next
      }
    }
    return commits
  }

  async #rewrite(name: string, commits: readonly Commit[]): Promise<void> {
    const temporary = this.#path('new')
    await this.#fs.write(temporary, concatBytes(...commits.map(encodeCommit)))
    await this.#fs.sync(temporary)
    await this.#fs.rename(temporary, this.#path(name))
    await this.#fs.sync(this.#folder)
  }

  async #create(name: string): Promise<AppendFile> {
    const file = await this.#fs.openAppend(this.#path(name))
    await this.#fs.sync(this.#folder)
    return file
  }

  #current(): Promise<AppendFile> {
    if (this.#segment !== undefined) return this.#segment
    throw new TlogError('TLOG_STORAGE', 'the write-ahead log is not open')
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

function segmentName(size: number): string {
  return String(size).padStart(16, '0')
}

function corrupt(found: string, size?: number): TlogError {
  return new TlogError('TLOG_WAL_CORRUPT', 'the write-ahead log does not fit together', {
    ...(size !== undefined && { expected: `a commit on a tree of ${String(size)}` }),
    found,
    hint: 'restore the data directory from a backup; nothing was changed',
  })
}
