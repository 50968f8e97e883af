/** Reading a published tree: entries, subtree hashes and proofs, from the edge in memory or from stored tiles. @module */
import { proveConsistency, proveInclusion, treeRoot } from '#formats/merkle/tree'
import { HASH_SIZE } from '#formats/merkle/hash'
import { TILE_WIDTH, locateNode, tilePath } from '#formats/tlog-tiles/tile'
import { ANNOTATION_BUNDLES, bundlePath } from './bundle-layout.js'
import type { BundleLayout } from './bundle-layout.js'
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
  readonly #annotations = new Recent<readonly Uint8Array[]>(CACHED_BUNDLES)

  constructor(objects: ObjectReader, rules: EdgeRules, edge: RightEdge) {
    this.#objects = objects
    this.#rules = rules
    this.#edge = edge
  }

  /** Takes over what has left the edge and may not be stored yet; it is also what is most likely asked for next. */
  remember({ fullTiles, fullBundles }: Integration): void {
    for (const { level, index, nodes } of fullTiles) this.#tiles.set(tileKey(level, index), nodes)
    for (const { index, entries, annotations } of fullBundles) {
      this.#bundles.set(String(index), entries)
      if (this.#rules.annotated) this.#annotations.set(String(index), annotations)
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
    const bundle = Math.floor(index / TILE_WIDTH)
    const entries = this.#edge.entries(bundle) ?? (await this.#storedBundle(bundle, this.#rules.bundle, this.#bundles))
    const entry = entries[index % TILE_WIDTH]
    if (entry === undefined) throw missing(`entry ${String(index)}`)
    return entry
  }

  /** The hash of a leaf, from the tiles. @throws TlogError `TLOG_RANGE` */
  async leafHash(index: number): Promise<Uint8Array> {
    checkBelow('leaf', index, this.#edge.size)
    return (await this.#node(0, index)).slice()
  }

  /** What is kept beside the entry; empty if this log keeps nothing. @throws TlogError `TLOG_RANGE` */
  async annotation(index: number): Promise<Uint8Array> {
    checkBelow('leaf', index, this.#edge.size)
    if (!this.#rules.annotated) return new Uint8Array(0)
    const bundle = Math.floor(index / TILE_WIDTH)
    const annotations =
      this.#edge.annotations(bundle) ?? (await this.#storedBundle(bundle, ANNOTATION_BUNDLES, this.#annotations))
    const annotation = annotations[index % TILE_WIDTH]
    if (annotation === undefined) throw missing(`annotation ${String(index)}`)
    return annotation
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

  async #storedBundle(
    index: number,
    layout: BundleLayout,
    cache: Recent<readonly Uint8Array[]>,
  ): Promise<readonly Uint8Array[]> {
    const cached = cache.get(String(index))
    if (cached !== undefined) return cached
    const bundle = layout.decode(await this.#object(bundlePath(layout.folder, index, TILE_WIDTH)))
    cache.set(String(index), bundle)
    return bundle
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
    entries: (index, width) => exactBundle(objects, rules.bundle, { index, width }),
    annotations: (index, width) => exactBundle(objects, ANNOTATION_BUNDLES, { index, width }),
  }
}

async function exactBundle(
  objects: ObjectReader,
  layout: BundleLayout,
  { index, width }: { readonly index: number; readonly width: number },
): Promise<readonly Uint8Array[]> {
  const path = bundlePath(layout.folder, index, width)
  const entries = layout.decode(await anyObject(objects, path))
  if (entries.length !== width) throw corrupt(path, width, entries.length)
  return entries
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
  throw new TlogError('TLOG_RANGE', `the log has no such ${what}`, {
    expected: `0 to ${String(limit - 1)}`,
    found: String(value),
  })
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
