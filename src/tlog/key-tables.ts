/** The tables that are derived from entries: who is a duplicate of whom, and what can be searched. @module */
import { equalBytes } from '#encoding/bytes'
import type { FullEntryRules } from './rules.js'
import type { Commit, KeyRecord, KeyTable, LogStorage } from './storage.js'
import type { TreeReader } from './tree-reader.js'

/** Entries that are read again at one time when a table is made anew. */
const REBUILD_STEP = 4096

const NO_ANNOTATION = new Uint8Array(0)

export class KeyTables {
  readonly #rules: FullEntryRules
  readonly #reader: TreeReader
  readonly #identities: KeyTable
  readonly #search: KeyTable

  constructor(storage: LogStorage, rules: FullEntryRules, reader: TreeReader) {
    this.#rules = rules
    this.#reader = reader
    this.#identities = storage.table('identities')
    this.#search = storage.table('search')
  }

  /** The entry with that identity. */
  async duplicateOf(identity: Uint8Array): Promise<number | undefined> {
    for (const index of await this.#identities.find(identity)) {
      // The table keeps a part of the key only.
      if (equalBytes(this.#rules.identity(await this.#reader.entry(index)), identity)) return index
    }
    return undefined
  }

  /** Entries with that search key, the lowest index first, at most `limit` of the newest. */
  async search(key: Uint8Array, limit: number): Promise<readonly number[]> {
    const found: number[] = []
    const candidates = (await this.#search.find(key)).slice(-limit)
    for (const index of candidates) {
      const keys = this.#rules.searchKeys(await this.#reader.entry(index), await this.#reader.annotation(index))
      if (keys.some((one) => equalBytes(one, key))) found.push(index)
    }
    return found
  }

  /** Adds entries from index `first` on. What a table has already is left out. */
  async add({ entries, annotations }: Pick<Commit, 'entries' | 'annotations'>, first: number): Promise<void> {
    const end = first + entries.length
    await extend(this.#identities, end, (index) => [this.#rules.identity(entryAt(entries, index - first))])
    await extend(this.#search, end, (index) =>
      this.#rules.searchKeys(entryAt(entries, index - first), annotations[index - first] ?? NO_ANNOTATION),
    )
  }

  /**
   * Brings the tables up to `size` from the stored entries.
   * @param committed - the size of the committed tree: a table that claims to know more is of another log, and is made anew
   */
  async rebuild(size: number, committed: number = size): Promise<void> {
    for (const table of [this.#identities, this.#search]) if (table.covered > committed) await table.clear()
    for (let first = this.#covered(); first < size; first = this.#covered()) {
      const end = Math.min(size, first + REBUILD_STEP)
      const entries: Uint8Array[] = []
      const annotations: Uint8Array[] = []
      for (let index = first; index < end; index++) {
        entries.push(await this.#reader.entry(index))
        annotations.push(await this.#reader.annotation(index))
      }
      await this.add({ entries, annotations }, first)
    }
  }

  /** Forgets the search table and makes it again, e.g. after its rules have changed. */
  async reindex(size: number): Promise<void> {
    await this.#search.clear()
    await this.rebuild(size)
  }

  #covered(): number {
    return Math.min(this.#identities.covered, this.#search.covered)
  }
}

async function extend(table: KeyTable, end: number, keysOf: (index: number) => readonly Uint8Array[]): Promise<void> {
  const records: KeyRecord[] = []
  for (let index = table.covered; index < end; index++) {
    for (const key of keysOf(index)) records.push({ key, index })
  }
  if (table.covered < end) await table.add(records, end)
}

function entryAt(entries: readonly Uint8Array[], at: number): Uint8Array {
  const entry = entries[at]
  if (entry === undefined) throw new RangeError(`entry ${String(at)} of ${String(entries.length)}`)
  return entry
}
