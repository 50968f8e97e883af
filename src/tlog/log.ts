/** A transparency log: takes entries in, one batch after the other, and answers for every one of them. @module */
import type { Clock, UnixMillis } from '#time'
import { isCodedError } from '#errors'
import { HASH_SIZE } from '#formats/merkle/hash'
import { TILE_WIDTH, tileInTree, tilePath } from '#formats/tlog-tiles/tile'
import type { TileCoordinate } from '#formats/tlog-tiles/tile'
import { ANNOTATION_BUNDLES, bundlePath } from './bundle-layout.js'
import type { BundleLayout } from './bundle-layout.js'
import { TlogError } from './errors.js'
import { withDefaults } from './rules.js'
import type { CheckpointPort, EntryRules, PublishedCheckpoint } from './rules.js'
import { Session } from './session.js'
import type { Batch, SessionParts } from './session.js'
import type { LogStorage, ObjectWrite } from './storage.js'

/** What a log is made of. */
export interface LogOptions {
  readonly storage: LogStorage
  readonly rules: EntryRules
  readonly checkpoints: CheckpointPort
  readonly clock: Clock
  /** Resolves after so many milliseconds. */
  readonly wait: (milliseconds: number) => Promise<unknown>
  /**
   * How long the first entry after a pause waits for company, in milliseconds. Default 0: while one batch is being made
   * durable the next one gathers anyway, the larger the slower the disk is.
   */
  readonly batchDelay?: number
  /** Most entries in a batch. Default 1024. */
  readonly maxBatch?: number
  /** Most entries that wait; more are refused with `TLOG_OVERLOADED`. Default 4096. */
  readonly maxPending?: number
  /** Bytes of entries after which the write-ahead log is cut. Default 32 MiB. */
  readonly settleBytes?: number
}

/** Where an entry will be. */
export interface Place {
  readonly index: number
  readonly time: UnixMillis
}

/** An entry on its way in. */
export interface Submission {
  /** As the log's rules compute it from the finished entry. */
  readonly identity: Uint8Array
  /** The entry, or what makes it once its place is known. */
  readonly entry: Uint8Array | ((place: Place) => Uint8Array)
  /** What is kept beside it, if the log's rules say that something is. */
  readonly annotation?: Uint8Array | ((place: Place) => Uint8Array)
  /** Objects that belong to it, durable and readable together with it. A duplicate's are not stored. */
  readonly attachments?: readonly ObjectWrite[]
}

/** An entry that is durable, readable, and covered by a published checkpoint. */
export interface Appended {
  readonly index: number
  /** True if it was there before this submission. */
  readonly duplicate: boolean
  readonly checkpoint: PublishedCheckpoint
}

interface OpenBatch extends Batch {
  readonly entries: Uint8Array[]
  readonly annotations: Uint8Array[]
  readonly attachments: ObjectWrite[]
}

interface Pending {
  readonly submission: Submission
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

const NOTHING = new Uint8Array(0)

const DEFAULTS = { batchDelay: 0, maxBatch: 1024, maxPending: 4096, settleBytes: 32 * 1024 * 1024 }

/**
 * Opens a log. If it resolves, whatever a crash had left is in order again and a checkpoint is published.
 * @throws TlogError `TLOG_LOCKED` while another process has it; `TLOG_ROLLED_BACK`, `TLOG_FORK`, `TLOG_ROOT_MISMATCH`,
 * `TLOG_WAL_CORRUPT`, `TLOG_TILE_MISSING`, `TLOG_TILE_CORRUPT` if the storage is not what it was
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const parts: SessionParts = {
    storage: options.storage,
    rules: withDefaults(options.rules),
    checkpoints: options.checkpoints,
    settleBytes: options.settleBytes ?? DEFAULTS.settleBytes,
  }
  try {
    return new Log(options, parts, await Session.open(parts))
  } catch (error) {
    await options.storage.close()
    throw error
  }
}

export class Log {
  readonly #options: LogOptions & typeof DEFAULTS
  readonly #parts: SessionParts
  #session: Session
  #recovery: Promise<Session> | undefined
  #closed = false
  #pool: Pending[] = []
  /** By identity: submissions that have no answer yet. */
  readonly #waiting = new Map<string, Promise<Appended>>()
  #running: Promise<void> | undefined

  constructor(options: LogOptions, parts: SessionParts, session: Session) {
    this.#options = { ...DEFAULTS, ...options }
    this.#parts = parts
    this.#session = session
  }

  /** The newest checkpoint that everybody can read. */
  get checkpoint(): PublishedCheckpoint {
    return this.#session.published
  }

  /**
   * Takes an entry in. A duplicate, also of an entry that is on its way, gets the index of the first.
   * @throws TlogError `TLOG_OVERLOADED` and `TLOG_CLOSED`: it was not taken in; `TLOG_ENTRY_SIZE`: it never will be;
   * `TLOG_UNCERTAIN`: it may have been, and submitting it again tells
   */
  async append(submission: Submission): Promise<Appended> {
    if (this.#closed) throw closed()
    const key = keyText(submission.identity)
    const first = this.#waiting.get(key)
    if (first !== undefined) return { ...(await first), duplicate: true }
    if (this.#waiting.size >= this.#options.maxPending) throw overloaded(this.#waiting.size)
    const appended = this.#submit(submission)
    this.#waiting.set(key, appended)
    try {
      return await appended
    } finally {
      this.#waiting.delete(key)
    }
  }

  /** The index of the entry with that identity, if it is below the published checkpoint. */
  async find(identity: Uint8Array): Promise<number | undefined> {
    const index = await this.#session.tables.duplicateOf(identity)
    return index !== undefined && index < this.checkpoint.size ? index : undefined
  }

  /** Indexes of the entries that have the search key: the newest `limit` of them, the lowest first. */
  async search(key: Uint8Array, limit: number): Promise<readonly number[]> {
    const found = await this.#session.tables.search(key, limit)
    return found.filter((index) => index < this.checkpoint.size)
  }

  /** Makes the search table anew from the entries. Nothing may be appended meanwhile. */
  reindex(): Promise<void> {
    return this.#session.tables.reindex(this.#session.head.size)
  }

  /** @throws TlogError `TLOG_RANGE` if it is not below the published checkpoint */
  async entry(index: number): Promise<Uint8Array> {
    this.#checkPublished(index + 1)
    return this.#session.reader.entry(index)
  }

  /** What is kept beside the entry; empty if this log keeps nothing. @throws TlogError `TLOG_RANGE` */
  async annotation(index: number): Promise<Uint8Array> {
    this.#checkPublished(index + 1)
    return this.#session.reader.annotation(index)
  }

  /** @throws TlogError `TLOG_RANGE` */
  async leafHash(index: number): Promise<Uint8Array> {
    this.#checkPublished(index + 1)
    return this.#session.reader.leafHash(index)
  }

  /** The root of the tree when it had `size` leaves. @throws TlogError `TLOG_RANGE` */
  async rootAt(size: number): Promise<Uint8Array> {
    this.#checkPublished(size)
    return this.#session.reader.root(size)
  }

  /** @throws TlogError `TLOG_RANGE` if there is no such leaf in a tree of that size, or no such tree yet */
  async inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]> {
    this.#checkPublished(size)
    return this.#session.reader.inclusionProof(index, size)
  }

  /** @throws TlogError `TLOG_RANGE` */
  async consistencyProof(from: number, to: number): Promise<readonly Uint8Array[]> {
    this.#checkPublished(to)
    return this.#session.reader.consistencyProof(from, to)
  }

  /**
   * The bytes of a tile, or (level `entries`) of a bundle, if the published tree has it at that width. A partial tile that
   * has made way for a wider one is cut out of that, so that a client with an old checkpoint never misses one.
   */
  async tile({ level, index, width }: TileCoordinate): Promise<Uint8Array | undefined> {
    const present = tileInTree(level, index, this.checkpoint.size)
    if (present === undefined || present.width < width) return undefined
    const { bundle } = this.#parts.rules
    const read = (at: number): Promise<Uint8Array | undefined> =>
      this.object(level === 'entries' ? bundlePath(bundle.folder, index, at) : tilePath({ level, index, width: at }))
    const exact = await read(width)
    if (exact !== undefined) return exact
    const wider = (await read(present.width)) ?? (await read(TILE_WIDTH))
    if (wider === undefined || level !== 'entries') return wider?.subarray(0, width * HASH_SIZE)
    return bundle.encode(bundle.decode(wider).slice(0, width))
  }

  /** An object of the public part: a tile, a bundle, the checkpoint. */
  object(path: string): Promise<Uint8Array | undefined> {
    return this.#parts.storage.get(path)
  }

  /** Answers what is pending, makes everything durable in tiles, and lets go of the storage. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#waiting.values())
    await this.#running
    try {
      await this.#session.settle()
    } finally {
      await this.#parts.storage.close()
    }
  }

  async #submit(submission: Submission): Promise<Appended> {
    const session = await this.#liveSession()
    const index = await session.tables.duplicateOf(submission.identity)
    if (index !== undefined) return { index, duplicate: true, checkpoint: session.published }
    return new Promise<Appended>((resolve, reject) => {
      this.#pool.push({ submission, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** The sequencer: one batch at a time. While one is being made durable, the next one gathers by itself. */
  async #run(): Promise<void> {
    if (this.#options.batchDelay > 0) await this.#options.wait(this.#options.batchDelay)
    while (this.#pool.length > 0) {
      const batch = this.#pool.splice(0, this.#options.maxBatch)
      try {
        await this.#sequence(await this.#liveSession(), batch)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#running = undefined
  }

  async #sequence(session: Session, pending: readonly Pending[]): Promise<void> {
    const first = session.head.size
    const time = steadyTime(this.#options.clock(), session.head.time)
    const accepted: Pending[] = []
    const batch: OpenBatch = { entries: [], annotations: [], attachments: [], time }
    for (const one of pending) {
      try {
        const { entry, annotation } = this.#build(one.submission, { index: first + accepted.length, time })
        batch.entries.push(entry)
        if (this.#parts.rules.annotated) batch.annotations.push(annotation)
        batch.attachments.push(...(one.submission.attachments ?? []))
        accepted.push(one)
      } catch (error) {
        one.reject(error)
      }
    }
    if (accepted.length === 0) return
    const checkpoint = await session.add(batch).catch((error: unknown) => {
      throw uncertain(error)
    })
    for (const [at, { resolve }] of accepted.entries()) resolve({ index: first + at, duplicate: false, checkpoint })
  }

  #build(
    { entry, annotation = NOTHING }: Submission,
    place: Place,
  ): { readonly entry: Uint8Array; readonly annotation: Uint8Array } {
    const made = {
      entry: typeof entry === 'function' ? entry(place) : entry,
      annotation: typeof annotation === 'function' ? annotation(place) : annotation,
    }
    checkSize('entry', made.entry, this.#parts.rules.bundle)
    checkSize('annotation', made.annotation, ANNOTATION_BUNDLES)
    return made
  }

  /** The session, or a new one if it has failed; whoever comes meanwhile waits for the same one. */
  async #liveSession(): Promise<Session> {
    if (this.#recovery !== undefined) return this.#recovery
    if (this.#session.failure === undefined) return this.#session
    this.#recovery = this.#recover()
    try {
      this.#session = await this.#recovery
      return this.#session
    } finally {
      this.#recovery = undefined
    }
  }

  async #recover(): Promise<Session> {
    const failed = this.#session
    try {
      await failed.idle().catch(() => undefined) // its failure is why we are here
      return await Session.open(this.#parts, failed.published)
    } catch (error) {
      throw new TlogError('TLOG_FAILED', 'the log has failed and could not be brought back', {
        found: isCodedError(error) ? error.code : 'an error of the storage',
        cause: error,
      })
    }
  }

  #checkPublished(size: number): void {
    if (size <= this.checkpoint.size) return
    throw new TlogError('TLOG_RANGE', 'the log is not that large', {
      expected: `at most ${String(this.checkpoint.size)}`,
      found: String(size),
    })
  }
}

/** How far back a clock may be set without being noticed, in milliseconds. */
const CLOCK_STEP = 300_000

/**
 * The time of the next batch. A clock that is set back a little does not set the log back; one that is set back a lot was
 * wrong before, and the log must not stay in that future until it has become the present.
 */
function steadyTime(now: UnixMillis, last: UnixMillis): UnixMillis {
  return now >= last - CLOCK_STEP ? Math.max(now, last) : now
}

function checkSize(what: string, bytes: Uint8Array, { maxEntrySize }: BundleLayout): void {
  if (bytes.length <= maxEntrySize) return
  throw new TlogError('TLOG_ENTRY_SIZE', `the ${what} is too large for the log`, {
    expected: `at most ${String(maxEntrySize)} bytes`,
    found: `${String(bytes.length)} bytes`,
  })
}

function keyText(identity: Uint8Array): string {
  return Buffer.from(identity.buffer, identity.byteOffset, identity.length).toString('latin1')
}

function closed(): TlogError {
  return new TlogError('TLOG_CLOSED', 'the log is being closed')
}

function overloaded(pending: number): TlogError {
  return new TlogError('TLOG_OVERLOADED', 'too many entries are waiting', {
    found: `${String(pending)} entries`,
    hint: 'try again in a second',
  })
}

function uncertain(cause: unknown): TlogError {
  return new TlogError('TLOG_UNCERTAIN', 'the entry may or may not have been logged', {
    hint: 'submit it again: an entry that was logged keeps its index',
    cause,
  })
}
