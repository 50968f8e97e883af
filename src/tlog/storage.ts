/** The storage contract of a log: what has to be durable when, and who may write. @module */
import type { UnixMillis } from '#time'

/** A tree: its size fixes its root for all time. */
export interface TreeState {
  /** Leaves; a safe integer. */
  readonly size: number
  readonly rootHash: Uint8Array
  /** When the last batch was taken in. 0 for the empty tree. */
  readonly time: UnixMillis
}

/** A batch of entries that takes the tree from one state to the next. */
export interface Commit {
  readonly previous: TreeState
  readonly next: TreeState
  /** `next.size - previous.size` of them, in order of their index. */
  readonly entries: readonly Uint8Array[]
  /** What is kept beside each entry, in the same order; empty for a log without annotations. */
  readonly annotations: readonly Uint8Array[]
  /** Objects that the entries refer to, and that become durable with them. */
  readonly attachments: readonly ObjectWrite[]
}

/** An object to be stored, as a whole. */
export interface ObjectWrite {
  readonly path: string
  readonly bytes: Uint8Array
}

/** What storage knows when it is opened. */
export interface Recovery {
  /** Everything below this state is durably in tiles. The empty tree for a new log. */
  readonly settled: TreeState
  /** What was committed after it, oldest first; the tiles of these may be missing, old or half written. */
  readonly commits: readonly Commit[]
}

/** Objects by path, as a static web server would serve them. Any number of readers, in any process. */
export interface ObjectReader {
  /** The whole object, or undefined if there is none. */
  get(path: string): Promise<Uint8Array | undefined>
}

/**
 * Where a log lives. One writer at a time; methods of the writer are called one after the other, except that `get`,
 * `find` and one `settle` may run beside the others.
 *
 * After a method has rejected, nothing is known about its effect: the caller must stop writing and call `open` again,
 * which tells what really happened.
 */
export interface LogStorage extends ObjectReader {
  /**
   * Becomes the only writer (if it is not yet) and reads what is there. Whatever a crash left unfinished is either
   * in the result, and then durable, or gone for good.
   * @throws TlogError `TLOG_LOCKED` while another writer lives, `TLOG_WAL_CORRUPT`
   */
  open(): Promise<Recovery>

  /**
   * The compare-and-swap of the tree state, and the only step that makes a tree bigger. Entries and new state are durable
   * when this resolves; if the stored state is not `commit.previous`, nothing happens.
   * @throws TlogError `TLOG_CONFLICT` when somebody else has moved the tree
   */
  commit(commit: Commit): Promise<void>

  /** Replaces a whole object, atomically for readers. Durable at the latest with the next `settle`. */
  put(path: string, bytes: Uint8Array): Promise<void>

  /**
   * Makes everything that was put durable, together with the key tables, and forgets the commits up to now: the tree
   * that was committed last is the settled one. Called when its tiles have been put, and no commit is under way.
   * What is put or committed while it runs belongs to the next one.
   * @param obsolete - folders of objects that this tree does not need: dropped once the rest is durable, and not before,
   *   since the one before may have needed them
   */
  settle(obsolete: readonly string[]): Promise<void>

  /** The table of that name; valid after `open`, and until the next `open`. */
  table(name: string): KeyTable

  /** Gives up being the writer. Does not settle. */
  close(): Promise<void>
}

/** One key of one entry. */
export interface KeyRecord {
  /** A hash, or at least its first 8 bytes. */
  readonly key: Uint8Array
  readonly index: number
}

/**
 * From keys to the indexes of entries that have them. It is derived from the entries: it may be dropped at any time and
 * is then made again. It keeps only a part of each key, so an answer is a candidate until the entry has been looked at.
 */
export interface KeyTable {
  /** The keys of the entries below this index are in the table. */
  readonly covered: number
  /** Adds the keys of the entries from `covered` (as it was) up to the new `covered`. */
  add(records: readonly KeyRecord[], covered: number): Promise<void>
  /** Candidates, the lowest index first. */
  find(key: Uint8Array): Promise<readonly number[]>
  /** Empties the table, to be filled again. */
  clear(): Promise<void>
}
