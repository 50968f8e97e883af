/** Reading a published tree: entries, subtree hashes and proofs, from the edge in memory or from stored tiles. @module */
import { proveConsistency, proveInclusion, treeRoot } from '#formats/merkle/tree'
import { HASH_SIZE, hashLeaf } from '#formats/merkle/hash'
import { TILE_WIDTH, hashesOnLevel, locateNode, tilePath } from '#formats/tlog-tiles/tile'
import { bundlePath } from './bundle-layout.js'
import { TIMES_FOLDER, decodeTimes } from './commit-times.js'
import { TlogError } from './errors.js'
import type { EdgeReader, EdgeRules, Integration, RightEdge } from './right-edge.js'
import type { ObjectReader } from './storage.js'
import { TileNodes } from './tile-nodes.js'

const CACHED_TILES = 512
const CACHED_BUNDLES = 64

/** Reads trees up to the size of an edge. */
export class TreeReader {
  readonly #objects: ObjectReader
  readonly #rules: EdgeRules
  readonly #edge: RightEdge
  readonly #tiles = new Recent<TileNodes>(CACHED_TILES)
  readonly #bundles = new Recent<readonly Uint8Array[]>(CACHED_BUNDLES)
  readonly #times = new Recent<readonly number[]>(CACHED_BUNDLES)

  constructor(objects: ObjectReader, rules: EdgeRules, edge: RightEdge) {
    this.#objects = objects
    this.#rules = rules
    this.#edge = edge
  }

  /** Takes over what has left the edge and may not be stored yet; it is also what is most likely asked for next. */
  remember({ fullTiles, fullBundles }: Integration): void {
    for (const { level, index, nodes } of fullTiles) this.#tiles.set(tileKey(level, index), nodes)
    for (const { index, entries, times } of fullBundles) {
      this.#bundles.set(String(index), entries)
      if (this.#rules.keepTimes) this.#times.set(String(index), times)
    }
  }

  /** The root of the tree's first `size` leaves. */
  root(size: number): Promise<Uint8Array> {
    this.#checkSize(size)
    return treeRoot((level, index) => this.#node(level, index), size)
  }

  /** @throws TlogError `TLOG_RANGE` if there is no such tree or leaf */
  inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    this.#checkSize(size)
    checkBelow('leaf', index, size)
    return proveInclusion((level, at) => this.#node(level, at), index, size)
  }

  /** @throws TlogError `TLOG_RANGE` if there are no such trees */
  consistencyProof(from: number, to: number): Promise<Uint8Array[]> {
    this.#checkSize(to)
    checkBelow('tree size', from, to + 1)
    return proveConsistency((level, at) => this.#node(level, at), from, to)
  }

  /** The stored bytes of an entry. @throws TlogError `TLOG_RANGE` */
  async entry(index: number): Promise<Uint8Array> {
    checkBelow('leaf', index, this.#edge.size)
    const bundle = await this.#bundle(Math.floor(index / TILE_WIDTH))
    const entry = bundle[index % TILE_WIDTH]
    if (entry === undefined) throw missing(`entry ${String(index)}`)
    return entry
  }

  /** The hash of a leaf, from the tiles. @throws TlogError `TLOG_RANGE` */
  async leafHash(index: number): Promise<Uint8Array> {
    checkBelow('leaf', index, this.#edge.size)
    return (await this.#node(0, index)).slice()
  }

  /** When the entry was taken in; undefined if this log does not keep times. */
  async time(index: number): Promise<number | undefined> {
    checkBelow('leaf', index, this.#edge.size)
    if (!this.#rules.keepTimes) return undefined
    const times = await this.#bundleTimes(Math.floor(index / TILE_WIDTH))
    return times[index % TILE_WIDTH]
  }

  /** What the leaf hash of a stored entry should be. */
  expectedLeafHash(entry: Uint8Array): Uint8Array {
    return hashLeaf(this.#rules.leaf(entry))
  }

  async #node(level: number, index: number): Promise<Uint8Array> {
    const { tileLevel, tileIndex, first, count } = locateNode(level, index)
    const tile = this.#edge.tile(tileLevel, tileIndex) ?? (await this.#fullTile(tileLevel, tileIndex))
    if (first + count > tile.width) throw missing(`tile ${String(tileLevel)}/${String(tileIndex)}`)
    return tile.node(level % 8, first / count)
  }

  async #fullTile(level: number, index: number): Promise<TileNodes> {
    const key = tileKey(level, index)
    const cached = this.#tiles.get(key)
    if (cached !== undefined) return cached
    const path = tilePath({ level, index, width: TILE_WIDTH })
    const bytes = await this.#object(path)
    if (bytes.length !== TILE_WIDTH * HASH_SIZE) throw corrupt(path, TILE_WIDTH * HASH_SIZE, bytes.length)
    const tile = new TileNodes(bytes)
    this.#tiles.set(key, tile)
    return tile
  }

  async #bundle(index: number): Promise<readonly Uint8Array[]> {
    const growing = this.#edge.entries(index)
    if (growing !== undefined) return growing
    const cached = this.#bundles.get(String(index))
    if (cached !== undefined) return cached
    const bundle = this.#rules.bundle.decode(await this.#object(bundlePath(this.#rules.bundle.folder, index, TILE_WIDTH)))
    this.#bundles.set(String(index), bundle)
    return bundle
  }

  async #bundleTimes(index: number): Promise<readonly number[]> {
    const known = this.#edge.times(index) ?? this.#times.get(String(index))
    if (known !== undefined) return known
    const times = decodeTimes(await this.#object(bundlePath(TIMES_FOLDER, index, TILE_WIDTH)))
    this.#times.set(String(index), times)
    return times
  }

  async #object(path: string): Promise<Uint8Array> {
    const bytes = await this.#objects.get(path)
    if (bytes === undefined) throw missing(path)
    return bytes
  }

  #checkSize(size: number): void {
    checkBelow('tree size', size, this.#edge.size + 1)
  }
}

/** Reads the partial tiles at the edge of a stored tree of known size. */
export function storedEdge(objects: ObjectReader, rules: EdgeRules): EdgeReader {
  return {
    async hashes(level, index, width) {
      return exactObject(objects, tilePath({ level, index, width }), width * HASH_SIZE)
    },
    async entries(index, width) {
      const path = bundlePath(rules.bundle.folder, index, width)
      const entries = rules.bundle.decode(await anyObject(objects, path))
      if (entries.length !== width) throw corrupt(path, width, entries.length)
      return entries
    },
    async times(index, width) {
      const path = bundlePath(TIMES_FOLDER, index, width)
      const times = decodeTimes(await anyObject(objects, path))
      if (times.length !== width) throw corrupt(path, width, times.length)
      return times
    },
  }
}

/** The tile levels of a tree of that size. */
export function tileLevels(size: number): number {
  let levels = 0
  while (hashesOnLevel(levels, size) > 0) levels++
  return levels
}

async function anyObject(objects: ObjectReader, path: string): Promise<Uint8Array> {
  const bytes = await objects.get(path)
  if (bytes === undefined) throw missing(path)
  return bytes
}

async function exactObject(objects: ObjectReader, path: string, size: number): Promise<Uint8Array> {
  const bytes = await anyObject(objects, path)
  if (bytes.length !== size) throw corrupt(path, size, bytes.length)
  return bytes
}

function checkBelow(what: string, value: number, limit: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && value < limit) return
  throw new TlogError('TLOG_RANGE', `the log has no such ${what}`, { expected: `0 to ${String(limit - 1)}`, found: String(value) })
}

function missing(path: string): TlogError {
  return new TlogError('TLOG_TILE_MISSING', 'a part of the log is missing', {
    found: `no ${path}`,
    hint: 'restore the data directory, then run fsck',
  })
}

function corrupt(path: string, expected: number, found: number): TlogError {
  return new TlogError('TLOG_TILE_CORRUPT', `a part of the log is damaged: ${path}`, {
    expected: String(expected),
    found: String(found),
    hint: 'restore the data directory, then run fsck',
  })
}

function tileKey(level: number, index: number): string {
  return `${String(level)}/${String(index)}`
}

/** The most recently used values. */
class Recent<Value> {
  readonly #limit: number
  readonly #values = new Map<string, Value>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key)
    if (value === undefined) return undefined
    this.#values.delete(key)
    this.#values.set(key, value)
    return value
  }

  set(key: string, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#limit) return
    const oldest = this.#values.keys().next()
    if (oldest.done !== true) this.#values.delete(oldest.value)
  }
}
