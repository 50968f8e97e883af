/**
 * Checks a whole log from its published objects alone, and shares no code with what wrote them but the formats:
 * every hash is computed again from the entries.
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { HASH_SIZE, emptyRoot, hashLeaf, hashLevel, hashNode } from '#formats/merkle/hash'
import { TILE_WIDTH, tilePath } from '#formats/tlog-tiles/tile'
import { ANNOTATION_BUNDLES, bundlePath } from './bundle-layout.js'
import type { BundleLayout } from './bundle-layout.js'
import { KeyIndex } from './key-index.js'
import { CHECKPOINT_PATH, withDefaults } from './rules.js'
import type { CheckpointPort, EntryRules, FullEntryRules } from './rules.js'
import type { KeyTable, ObjectReader } from './storage.js'

/** What is looked at. */
export interface FsckOptions {
  readonly objects: ObjectReader
  readonly rules: EntryRules
  readonly checkpoints: Pick<CheckpointPort, 'open'>
  /** Tables to compare with the entries, as far as they say that they go. */
  readonly tables?: { readonly identities?: KeyTable; readonly search?: KeyTable }
}

export type FsckProblemKind = 'checkpoint' | 'missing' | 'damaged' | 'tile' | 'root' | 'duplicate' | 'table'

export interface FsckProblem {
  readonly kind: FsckProblemKind
  /** Where, and what is wrong. */
  readonly text: string
}

/** What was found. The log is in order if there are no problems. */
export interface FsckReport {
  /** Of the checkpoint; 0 if it could not be read. */
  readonly size: number
  readonly rootHash: Uint8Array
  /** At most {@link MAX_PROBLEMS}. */
  readonly problems: readonly FsckProblem[]
}

/** Then there is no point in going on. */
export const MAX_PROBLEMS = 100

/** Reads everything below the published checkpoint. */
export async function fsck(options: FsckOptions): Promise<FsckReport> {
  return new Check(options).run()
}

class Check {
  readonly #objects: ObjectReader
  readonly #rules: FullEntryRules
  readonly #checkpoints: FsckOptions['checkpoints']
  readonly #tables: NonNullable<FsckOptions['tables']>
  readonly #problems: FsckProblem[] = []
  readonly #identities = new KeyIndex()

  constructor({ objects, rules, checkpoints, tables = {} }: FsckOptions) {
    this.#objects = objects
    this.#rules = withDefaults(rules)
    this.#checkpoints = checkpoints
    this.#tables = tables
  }

  async run(): Promise<FsckReport> {
    const checkpoint = await this.#openCheckpoint()
    if (checkpoint === undefined) return { size: 0, rootHash: emptyRoot(), problems: this.#problems }
    const rootHash = await this.#checkTree(checkpoint.size)
    if (this.#problems.length < MAX_PROBLEMS && !equalBytes(rootHash, checkpoint.rootHash)) {
      this.#report(
        'root',
        `the entries have root ${encodeHex(rootHash)}, the checkpoint says ${encodeHex(checkpoint.rootHash)}`,
      )
    }
    return { size: checkpoint.size, rootHash, problems: this.#problems }
  }

  async #openCheckpoint(): Promise<{ readonly size: number; readonly rootHash: Uint8Array } | undefined> {
    const note = await this.#objects.get(CHECKPOINT_PATH)
    try {
      if (note !== undefined) return await this.#checkpoints.open(note)
      this.#report('checkpoint', 'there is none')
    } catch (error) {
      this.#report('checkpoint', isCodedError(error) ? `${error.code}: ${error.message}` : 'it cannot be read')
    }
    return undefined
  }

  async #checkTree(size: number): Promise<Uint8Array> {
    const roots: Uint8Array[] = []
    let rest: Uint8Array = new Uint8Array(0)
    for (let index = 0; index * TILE_WIDTH < size; index++) {
      if (this.#problems.length >= MAX_PROBLEMS) return emptyRoot()
      const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH)
      const hashes = await this.#checkBundle(index, width)
      await this.#checkTile({ level: 0, index, width }, hashes)
      if (width === TILE_WIDTH) roots.push(rootOf(hashes))
      else rest = hashes
    }
    return this.#checkLevels(roots, rest)
  }

  /** The levels above the leaves: each is made of the roots of the full tiles below it. */
  async #checkLevels(fullRoots: readonly Uint8Array[], leaves: Uint8Array): Promise<Uint8Array> {
    const partials = [leaves]
    for (let [level, roots] = [1, fullRoots]; roots.length > 0; level++) {
      const next: Uint8Array[] = []
      let partial: Uint8Array = new Uint8Array(0)
      for (let index = 0; index * TILE_WIDTH < roots.length; index++) {
        const hashes = joined(roots.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH))
        const width = hashes.length / HASH_SIZE
        await this.#checkTile({ level, index, width }, hashes)
        if (width === TILE_WIDTH) next.push(rootOf(hashes))
        else partial = hashes
      }
      partials.push(partial)
      roots = next
    }
    return foldPartials(partials)
  }

  /** The leaf hashes of a bundle's entries. */
  async #checkBundle(index: number, width: number): Promise<Uint8Array> {
    const hashes = new Uint8Array(width * HASH_SIZE)
    const entries = await this.#bundle(this.#rules.bundle, index, width)
    const annotations = this.#rules.annotated ? await this.#bundle(ANNOTATION_BUNDLES, index, width) : []
    for (const [at, entry] of entries.entries()) {
      hashes.set(hashLeaf(this.#rules.leaf(entry)), at * HASH_SIZE)
      await this.#checkIdentity(entry, index * TILE_WIDTH + at)
      await this.#checkSearch(entry, annotations[at] ?? new Uint8Array(0), index * TILE_WIDTH + at)
    }
    return hashes
  }

  async #bundle(layout: BundleLayout, index: number, width: number): Promise<readonly Uint8Array[]> {
    const path = bundlePath(layout.folder, index, width)
    const bytes = await this.#object(path, bundlePath(layout.folder, index, TILE_WIDTH))
    if (bytes === undefined) return []
    try {
      const entries = layout.decode(bytes).slice(0, width)
      if (entries.length < width) this.#report('damaged', `${path} has ${String(entries.length)} entries`)
      return entries
    } catch {
      this.#report('damaged', `${path} cannot be taken apart`)
      return []
    }
  }

  async #checkTile(tile: { level: number; index: number; width: number }, hashes: Uint8Array): Promise<void> {
    const path = tilePath(tile)
    const stored = await this.#object(path, tilePath({ ...tile, width: TILE_WIDTH }))
    if (stored === undefined) return
    if (!equalBytes(stored.subarray(0, hashes.length), hashes))
      this.#report('tile', `${path} is not what its entries hash to`)
  }

  /** A partial object may have made way for the full one, which begins with the same bytes. */
  async #object(path: string, full: string): Promise<Uint8Array | undefined> {
    const bytes = (await this.#objects.get(path)) ?? (await this.#objects.get(full))
    if (bytes === undefined) this.#report('missing', path)
    return bytes
  }

  async #checkIdentity(entry: Uint8Array, index: number): Promise<void> {
    const identity = this.#rules.identity(entry)
    for (const other of this.#identities.find(identity)) {
      const bundle = await this.#bundle(this.#rules.bundle, Math.floor(other / TILE_WIDTH), (other % TILE_WIDTH) + 1)
      const twin = bundle[other % TILE_WIDTH]
      if (twin === undefined || !equalBytes(this.#rules.identity(twin), identity)) continue
      this.#report('duplicate', `entry ${String(index)} is the same as entry ${String(other)}`)
    }
    this.#identities.add(identity, index)
    await this.#checkTable('identities', [identity], index)
  }

  async #checkSearch(entry: Uint8Array, annotation: Uint8Array, index: number): Promise<void> {
    if (this.#tables.search === undefined) return
    await this.#checkTable('search', this.#rules.searchKeys(entry, annotation), index)
  }

  async #checkTable(name: 'identities' | 'search', keys: readonly Uint8Array[], index: number): Promise<void> {
    const table = this.#tables[name]
    if (table === undefined || index >= table.covered) return
    for (const key of keys) {
      if (!(await table.find(key)).includes(index))
        this.#report('table', `${name} does not know entry ${String(index)}`)
    }
  }

  #report(kind: FsckProblemKind, text: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ kind, text })
  }
}

/** The root over a power of two of hashes. */
function rootOf(hashes: Uint8Array): Uint8Array {
  let level = hashes
  while (level.length > HASH_SIZE) level = hashLevel(level)
  return level
}

/** The root of a tree from the partial tiles of its levels: the largest complete subtrees, folded from the right. */
function foldPartials(partials: readonly Uint8Array[]): Uint8Array {
  let root: Uint8Array | undefined
  for (const partial of partials) {
    for (let [end, count] = [partial.length / HASH_SIZE, 1]; end > 0; count *= 2) {
      if (end % (2 * count) === 0) continue
      const subtree = rootOf(partial.subarray((end - count) * HASH_SIZE, end * HASH_SIZE))
      root = root === undefined ? subtree : hashNode(subtree, root)
      end -= count
    }
  }
  return root ?? emptyRoot()
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_SIZE)
  for (const [at, hash] of hashes.entries()) bytes.set(hash, at * HASH_SIZE)
  return bytes
}
