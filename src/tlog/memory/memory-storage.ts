/** A log that lives as long as its process: for tests, and for logs that are only looked at. @module */
import { equalBytes } from '#encoding/bytes'
import { emptyRoot } from '#formats/merkle/hash'
import { TlogError } from '../errors.js'
import { KeyIndex } from '../key-index.js'
import type { Commit, KeyRecord, KeyTable, LogStorage, Recovery, TreeState } from '../storage.js'

const EMPTY_TREE: TreeState = { size: 0, rootHash: emptyRoot(), time: 0 }

/** Opening it again gives what was there: it can stand for a store that outlives a log. */
export class MemoryStorage implements LogStorage {
  readonly #objects = new Map<string, Uint8Array>()
  readonly #tables = new Map<string, MemoryTable>()
  #settled = EMPTY_TREE
  #head = EMPTY_TREE
  #commits: Commit[] = []
  #open = false

  async open(): Promise<Recovery> {
    this.#open = true
    return { settled: this.#settled, commits: this.#commits }
  }

  async commit(commit: Commit): Promise<void> {
    if (!this.#open) throw new TlogError('TLOG_STORAGE', 'the storage is not open')
    const { size, rootHash } = commit.previous
    if (size !== this.#head.size || !equalBytes(rootHash, this.#head.rootHash)) {
      throw new TlogError('TLOG_CONFLICT', 'the tree has been moved by somebody else')
    }
    // The commit point of this storage.
    this.#commits.push(commit)
    this.#head = commit.next
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(path, bytes)
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(path)
  }

  async settle(obsolete: readonly string[]): Promise<void> {
    this.#settled = this.#head
    const gone = new Set(obsolete)
    for (const path of this.#objects.keys()) {
      if (gone.has(path.slice(0, path.lastIndexOf('/')))) this.#objects.delete(path)
    }
    this.#commits = []
  }

  table(name: string): KeyTable {
    let table = this.#tables.get(name)
    if (table === undefined) this.#tables.set(name, (table = new MemoryTable()))
    return table
  }

  async close(): Promise<void> {
    this.#open = false
  }
}

class MemoryTable implements KeyTable {
  #index = new KeyIndex()
  covered = 0

  async add(records: readonly KeyRecord[], covered: number): Promise<void> {
    for (const { key, index } of records) this.#index.add(key, index)
    this.covered = covered
  }

  async find(key: Uint8Array): Promise<readonly number[]> {
    return this.#index.find(key)
  }

  async clear(): Promise<void> {
    this.#index = new KeyIndex()
    this.covered = 0
  }
}
