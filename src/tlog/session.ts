/**
 * One opening of a log's storage: recovers what is there, then takes batches in. After the first failure it is over, and
 * another one has to be opened, which finds out what the failure has left.
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { TILE_WIDTH, tilePath } from '#formats/tlog-tiles/tile'
import type { UnixMillis } from '#time'
import { ANNOTATION_BUNDLES, bundlePath } from './bundle-layout.js'
import { TlogError } from './errors.js'
import { KeyTables } from './key-tables.js'
import { RightEdge } from './right-edge.js'
import type { Integration } from './right-edge.js'
import { CHECKPOINT_PATH } from './rules.js'
import type { CheckpointPort, FullEntryRules, PublishedCheckpoint } from './rules.js'
import type { Commit, LogStorage, ObjectWrite, Recovery, TreeState } from './storage.js'
import { TreeReader, storedEdge } from './tree-reader.js'

/** What a session works on. */
export interface SessionParts {
  readonly storage: LogStorage
  readonly rules: FullEntryRules
  readonly checkpoints: CheckpointPort
  /** Bytes of entries after which tiles are made durable and the write-ahead log is cut. */
  readonly settleBytes: number
}

/** Entries that are taken in together. */
export interface Batch {
  readonly entries: readonly Uint8Array[]
  /** One for each entry, or none if the log keeps none. */
  readonly annotations: readonly Uint8Array[]
  /** Objects that come with them. */
  readonly attachments: readonly ObjectWrite[]
  readonly time: UnixMillis
}

/** Every commit leaves a few small files of partial tiles: this bounds how many. */
const SETTLE_COMMITS = 2048

export class Session {
  readonly reader: TreeReader
  readonly tables: KeyTables
  readonly #parts: SessionParts
  readonly #edge: RightEdge
  #head: TreeState
  #published: PublishedCheckpoint | undefined
  #failure: unknown
  #unsettledBytes = 0
  #unsettledCommits = 0
  #settling: Promise<void> | undefined
  /** Folders of partial tiles whose full tile has been put. */
  #obsolete: string[] = []

  private constructor(parts: SessionParts, head: TreeState, edge: RightEdge) {
    this.#parts = parts
    this.#head = head
    this.#edge = edge
    this.reader = new TreeReader(parts.storage, parts.rules, edge)
    this.tables = new KeyTables(parts.storage, parts.rules, this.reader)
  }

  /**
   * Opens the storage and brings it in order: tiles of commits that a crash left without them, tables, checkpoint.
   * @param known - a checkpoint that is known to have been published, when this is not the first session
   */
  static async open(parts: SessionParts, known?: PublishedCheckpoint): Promise<Session> {
    const recovery = await parts.storage.open()
    const edge = await RightEdge.load(parts.rules, recovery.settled.size, storedEdge(parts.storage, parts.rules))
    const session = new Session(parts, recovery.settled, edge)
    session.#checkRoot(recovery.settled)
    await session.tables.rebuild(recovery.settled.size, recovery.commits.at(-1)?.next.size)
    await session.#replay(recovery)
    await session.#continuePublished(known)
    return session
  }

  /** The tree that was committed last; published or about to be. */
  get head(): TreeState {
    return this.#head
  }

  get published(): PublishedCheckpoint {
    if (this.#published === undefined) throw new TlogError('TLOG_FAILED', 'the log has no checkpoint yet')
    return this.#published
  }

  /** Why this session is over, if it is. */
  get failure(): unknown {
    return this.#failure
  }

  /**
   * Takes a batch in: commit, apply, publish, in this order. When it resolves, the entries are durable, can be read, and
   * are covered by a published checkpoint. When it rejects, nobody knows: open another session.
   */
  async add({ entries, annotations, attachments, time }: Batch): Promise<PublishedCheckpoint> {
    try {
      const previous = this.#head
      const made = this.#integrate(entries, annotations)
      const next: TreeState = { size: this.#edge.size, rootHash: this.#edge.rootHash(), time }
      // A crash before the commit leaves nothing; after it, #replay does what follows here with the same functions.
      const commit: Commit = { previous, next, entries, annotations, attachments }
      await this.#parts.storage.commit(commit)
      await this.#apply(made, commit)
      // Only what can be read in full is published.
      await this.#publish(next)
      this.#settleIfDue()
      return this.published
    } catch (error) {
      this.#failure ??= error
      throw error
    }
  }

  /** Makes everything durable in tiles, so that the next start has nothing to replay. */
  async settle(): Promise<void> {
    await this.#settling
    if (this.#failure !== undefined || this.#unsettledCommits === 0) return
    await this.#startSettling()
  }

  /** Waits for what runs in the background. */
  async idle(): Promise<void> {
    await this.#settling
  }

  #integrate(entries: readonly Uint8Array[], annotations: readonly Uint8Array[]): Integration {
    const made = this.#edge.integrate(entries, annotations)
    this.reader.remember(made)
    return made
  }

  /** What follows from a commit: its objects and its keys. */
  async #apply(made: Integration, commit: Commit): Promise<void> {
    for (const { path, bytes } of [...commit.attachments, ...made.writes]) await this.#parts.storage.put(path, bytes)
    await this.tables.add(commit, commit.previous.size)
    this.#head = commit.next
    this.#unsettledCommits++
    for (const entry of commit.entries) this.#unsettledBytes += entry.length
    for (const { level, index } of made.fullTiles) {
      this.#obsolete.push(partialFolder(tilePath({ level, index, width: TILE_WIDTH })))
    }
    for (const { index } of made.fullBundles) {
      this.#obsolete.push(partialFolder(bundlePath(this.#parts.rules.bundle.folder, index, TILE_WIDTH)))
      if (!this.#parts.rules.annotated) continue
      this.#obsolete.push(partialFolder(bundlePath(ANNOTATION_BUNDLES.folder, index, TILE_WIDTH)))
    }
  }

  async #publish(state: TreeState): Promise<void> {
    const note = await this.#parts.checkpoints.sign(state)
    await this.#parts.storage.put(CHECKPOINT_PATH, note)
    this.#published = { ...state, note }
  }

  /** In the background: the next batch does not wait for it. */
  #settleIfDue(): void {
    if (this.#settling !== undefined) return
    if (this.#unsettledBytes < this.#parts.settleBytes && this.#unsettledCommits < SETTLE_COMMITS) return
    void this.#startSettling().catch(() => undefined) // the failure is kept, and ends the session
  }

  #startSettling(): Promise<void> {
    const obsolete = this.#obsolete
    this.#obsolete = []
    this.#unsettledBytes = 0
    this.#unsettledCommits = 0
    this.#settling = this.#parts.storage
      .settle(obsolete)
      .catch((error: unknown) => {
        // Tiles may not be on the disk although the kernel will not say so again. The write-ahead log still is.
        this.#failure ??= error
        throw error
      })
      .finally(() => {
        this.#settling = undefined
      })
    return this.#settling
  }

  async #replay({ commits }: Recovery): Promise<void> {
    for (const commit of commits) {
      const made = this.#integrate(commit.entries, commit.annotations)
      this.#checkRoot(commit.next)
      await this.#apply(made, commit)
    }
  }

  #checkRoot(state: TreeState): void {
    const found = this.#edge.rootHash()
    if (equalBytes(found, state.rootHash)) return
    throw new TlogError('TLOG_ROOT_MISMATCH', `the tree of ${String(state.size)} has another root than was committed`, {
      expected: encodeHex(state.rootHash),
      found: encodeHex(found),
      hint: 'restore the data directory from a backup, then run fsck',
    })
  }

  /** Goes on from what was published, or refuses: a log that forgets or forks is worse than one that stands still. */
  async #continuePublished(known: PublishedCheckpoint | undefined): Promise<void> {
    if (known !== undefined) await this.#checkContinues(known)
    const note = await this.#parts.storage.get(CHECKPOINT_PATH)
    // A power failure may have left the name without the content. What was committed is durable all the same.
    if (note?.some((byte) => byte !== 0) !== true) return this.#publish(this.#head)
    const last = await this.#parts.checkpoints.open(note)
    await this.#checkContinues(last)
    if (last.size < this.#head.size) return this.#publish(this.#head)
    this.#published = { ...this.#head, note }
  }

  async #checkContinues(last: { readonly size: number; readonly rootHash: Uint8Array }): Promise<void> {
    if (last.size > this.#head.size) {
      throw new TlogError('TLOG_ROLLED_BACK', 'the storage has lost entries that were already published', {
        expected: `a tree of at least ${String(last.size)}`,
        found: `a tree of ${String(this.#head.size)}`,
        hint: 'restore the newest data; never go on from an older copy',
      })
    }
    if (equalBytes(await this.reader.root(last.size), last.rootHash)) return
    throw new TlogError('TLOG_FORK', 'the published checkpoint is of another tree', {
      expected: `root ${encodeHex(last.rootHash)} at size ${String(last.size)}`,
      found: 'other entries',
      hint: 'the directory holds parts of two logs: restore it',
    })
  }
}

function partialFolder(fullPath: string): string {
  return `${fullPath}.p`
}
