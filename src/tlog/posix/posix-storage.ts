/**
 * A log in a directory.
 *
 *     public/checkpoint, public/tile/…   what any static web server can serve (C2SP tlog-tiles)
 *     state/wal/<size>                   write-ahead log: commits since the last settling, and maybe some before it
 *     state/settled                      up to which tree everything is durably in public/
 *     state/keys/…                       tables that are derived from the entries
 *     state/lock                         who may write
 * @module
 */
import { dirname, join } from 'node:path'
import { TlogError } from '../errors.js'
import type { Commit, KeyTable, LogStorage, Recovery, TreeState } from '../storage.js'
import type { DirectoryLock } from './directory-lock.js'
import type { FileSystem } from './file-system.js'
import { KeyFile, keyFilePath, removeOldKeyFiles } from './key-file.js'
import type { KeyFileExtent } from './key-file.js'
import { parseSettled, serializeSettled } from './settled.js'
import { WriteAheadLog } from './write-ahead-log.js'

/** What a directory needs around it. */
export interface PosixStorageOptions {
  /** An absolute path; created if need be. */
  readonly directory: string
  readonly fs: FileSystem
  /** Takes the folder it is given for this process. */
  readonly lock: (folder: string) => Promise<DirectoryLock>
}

/** The files that are synced at one time; the kernel merges what is asked for together. */
const SYNCS_AT_ONCE = 16

/** See {@link LogStorage}; the commit point is {@link WriteAheadLog.append}. */
export class PosixStorage implements LogStorage {
  readonly #fs: FileSystem
  readonly #lockFolder: PosixStorageOptions['lock']
  readonly #public: string
  readonly #state: string
  readonly #wal: WriteAheadLog
  #lock: DirectoryLock | undefined
  #head: TreeState | undefined
  #tables = new Map<string, KeyFile>()
  /** What was put since the last settling, and the folders that have new names in them. */
  #dirtyFiles = new Set<string>()
  #dirtyFolders = new Set<string>()
  #knownFolders = new Set<string>()
  #temporary = 0

  constructor({ directory, fs, lock }: PosixStorageOptions) {
    this.#fs = fs
    this.#lockFolder = lock
    this.#public = join(directory, 'public')
    this.#state = join(directory, 'state')
    this.#wal = new WriteAheadLog(fs, join(this.#state, 'wal'))
  }

  async open(): Promise<Recovery> {
    this.#lock ??= await this.#lockFolder(this.#state)
    this.#forgetWrites()
    for (const folder of [this.#public, join(this.#state, 'keys'), this.#scratch()]) await this.#fs.makeFolder(folder)
    // The names of these folders must be durable before anything in them can be.
    for (const folder of [this.#state, dirname(this.#state), dirname(dirname(this.#state))]) await this.#fs.sync(folder)
    for (const name of await this.#fs.list(this.#scratch())) await this.#fs.remove(join(this.#scratch(), name))
    const { state: settled, tables } = parseSettled(await this.#fs.read(this.#settledPath()))
    const commits = await this.#wal.open(settled)
    await this.#loadTables(tables)
    this.#head = commits.at(-1)?.next ?? settled
    return { settled, commits }
  }

  async commit(commit: Commit): Promise<void> {
    const head = this.#opened()
    // The lock makes this process the only writer, so that comparing in memory is comparing in storage.
    if (head.size !== commit.previous.size) throw conflict(head.size, commit.previous.size)
    this.#head = undefined // unknown until the append has returned; a failure needs a new open()
    await this.#wal.append(commit)
    this.#head = commit.next
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    const target = join(this.#public, path)
    await this.#makeFolder(dirname(target))
    await this.#replace(target, bytes)
    this.#dirtyFiles.add(target)
    this.#dirtyFolders.add(dirname(target))
  }

  get(path: string): Promise<Uint8Array | undefined> {
    return this.#fs.read(join(this.#public, path))
  }

  async settle(obsolete: readonly string[]): Promise<void> {
    const state = this.#opened()
    // Up to the first await this sees one moment: what is put or committed from here on is for the next settling.
    const gone = new Set(obsolete.map((folder) => join(this.#public, folder)))
    const files = [...this.#dirtyFiles].filter((file) => !gone.has(dirname(file)))
    const folders = [...this.#dirtyFolders].filter((folder) => !gone.has(folder))
    this.#dirtyFiles.clear()
    this.#dirtyFolders.clear()
    const rotated = this.#wal.rotate(state.size)
    const flushed = [...this.#tables].map(async ([name, table]) => [name, await table.flush()] as const)

    const results = await Promise.allSettled([rotated, ...flushed])
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    await inGroups(files, (file) => this.#fs.sync(file))
    await inGroups(folders, (folder) => this.#fs.sync(folder))
    const extents = new Map(await Promise.all(flushed))
    const written = serializeSettled({ state, tables: extents })
    await this.#replace(this.#settledPath(), written, { durable: true })
    await this.#wal.forget(state.size)
    await removeOldKeyFiles(this.#fs, join(this.#state, 'keys'), currentFiles(extents))
    for (const folder of gone) await this.#fs.remove(folder)
  }

  table(name: string): KeyTable {
    const table = this.#tables.get(name)
    if (table === undefined) throw new TlogError('TLOG_STORAGE', 'there is no such key table', { found: name })
    return table
  }

  async close(): Promise<void> {
    await this.#wal.close()
    this.#head = undefined
    await this.#lock?.release()
    this.#lock = undefined
  }

  #forgetWrites(): void {
    this.#dirtyFiles = new Set()
    this.#dirtyFolders = new Set()
    this.#knownFolders = new Set()
    this.#temporary = 0
  }

  async #loadTables(extents: ReadonlyMap<string, KeyFileExtent>): Promise<void> {
    this.#tables = new Map()
    for (const name of TABLE_NAMES) {
      const base = join(this.#state, 'keys', name)
      this.#tables.set(name, await KeyFile.load(this.#fs, base, extents.get(name)))
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#knownFolders.has(folder)) return
    await this.#fs.makeFolder(folder)
    // Every folder above may have just been made: its own name has to become durable in the one above it.
    for (let at = folder; at.length > this.#public.length; at = dirname(at)) {
      this.#knownFolders.add(at) // a folder that settle drops is never written to again
      this.#dirtyFolders.add(dirname(at))
    }
  }

  /** Readers see the old content or the new one, and never a part. */
  async #replace(target: string, bytes: Uint8Array, { durable = false } = {}): Promise<void> {
    const temporary = join(this.#scratch(), String(this.#temporary++))
    await this.#fs.write(temporary, bytes)
    if (durable) await this.#fs.sync(temporary)
    await this.#fs.rename(temporary, target)
    if (durable) await this.#fs.sync(dirname(target))
  }

  #opened(): TreeState {
    if (this.#head !== undefined) return this.#head
    throw new TlogError('TLOG_STORAGE', 'the storage is not open', { hint: 'open it again to learn its state' })
  }

  #settledPath(): string {
    return join(this.#state, 'settled')
  }

  #scratch(): string {
    return join(this.#state, 'tmp')
  }
}

/** The key tables a log has. */
export const TABLE_NAMES: readonly string[] = ['identities', 'search']

function currentFiles(extents: ReadonlyMap<string, KeyFileExtent>): ReadonlySet<string> {
  return new Set([...extents].map(([name, extent]) => keyFilePath(name, extent.generation)))
}

async function inGroups<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += SYNCS_AT_ONCE) {
    await Promise.all(items.slice(at, at + SYNCS_AT_ONCE).map(run))
  }
}

function conflict(stored: number, expected: number): TlogError {
  return new TlogError('TLOG_CONFLICT', 'the tree has been moved by somebody else', {
    expected: `a tree of ${String(expected)}`,
    found: `a tree of ${String(stored)}`,
  })
}
