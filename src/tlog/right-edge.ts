/**
 * The growing side of a tree, in memory: takes batches in and says which objects that makes.
 * Normal operation and recovery both go through {@link RightEdge.integrate}; there is no second way to make a tile.
 * @module
 */
import { digestInto } from '#crypto/digest'
import { HASH_SIZE, emptyRoot, hashLeafInto } from '#formats/merkle/hash'
import { TILE_HEIGHT, TILE_WIDTH, tilePath } from '#formats/tlog-tiles/tile'
import { ANNOTATION_BUNDLES, bundlePath } from './bundle-layout.js'
import type { BundleLayout } from './bundle-layout.js'
import type { ObjectWrite } from './storage.js'
import { TileNodes } from './tile-nodes.js'

/** What the entries of a log are to its engine. */
export interface EdgeRules {
  readonly bundle: BundleLayout
  /** The bytes that the leaf hash of an entry is over. */
  readonly leaf: (entry: Uint8Array) => Uint8Array
  /** Whether an annotation is kept beside each entry. */
  readonly annotated: boolean
}

const MAX_HEIGHT = 64

/** A tile that has just become full, for whoever caches tiles. */
export interface FullTile {
  readonly level: number
  readonly index: number
  readonly nodes: TileNodes
}

/** A bundle that has just become full. */
export interface FullBundle {
  readonly index: number
  readonly entries: readonly Uint8Array[]
  readonly annotations: readonly Uint8Array[]
}

/** What a batch has made. What is full has left the edge: it must be readable from somewhere else at once. */
export interface Integration {
  readonly writes: ObjectWrite[]
  readonly fullTiles: FullTile[]
  readonly fullBundles: FullBundle[]
}

/** The partial tiles and the partial bundle of a tree, and the subtree roots that its own root is made of. */
export class RightEdge {
  readonly #rules: EdgeRules
  #size = 0
  /** By tile level. */
  readonly #tiles: TileNodes[] = [new TileNodes()]
  /** By height: the root of the complete subtree of that height that is not yet part of a higher one. */
  readonly #frontier = new Uint8Array(MAX_HEIGHT * HASH_SIZE)
  readonly #node = new Uint8Array(1 + 2 * HASH_SIZE)
  #entries: Uint8Array[] = []
  #annotations: Uint8Array[] = []

  constructor(rules: EdgeRules) {
    this.#rules = rules
    this.#node[0] = 1
  }

  get size(): number {
    return this.#size
  }

  /** The partial tile of a level, if that is where the tree's edge is; it may have grown past any published size. */
  tile(level: number, index: number): TileNodes | undefined {
    const tile = this.#tiles[level]
    return tile !== undefined && index === this.#tileIndex(level) && tile.width > 0 ? tile : undefined
  }

  /** The entries of bundle `index`, if it is the partial one. */
  entries(index: number): readonly Uint8Array[] | undefined {
    return index === Math.floor(this.#size / TILE_WIDTH) && this.#entries.length > 0 ? this.#entries : undefined
  }

  /** The annotations of the entries of bundle `index`, if it is the partial one and there are some. */
  annotations(index: number): readonly Uint8Array[] | undefined {
    return index === Math.floor(this.#size / TILE_WIDTH) && this.#annotations.length > 0 ? this.#annotations : undefined
  }

  /** The Merkle root (RFC 6962 §2.1): the complete subtrees, folded from the smallest. */
  rootHash(): Uint8Array {
    if (this.#size === 0) return emptyRoot()
    let root: Uint8Array | undefined
    for (let height = 0, rest = this.#size; rest > 0; height++, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue
      const subtree = this.#frontier.subarray(height * HASH_SIZE, (height + 1) * HASH_SIZE)
      if (root === undefined) {
        root = subtree.slice()
      } else {
        this.#node.set(subtree, 1)
        this.#node.set(root, 1 + HASH_SIZE)
        digestInto('sha256', this.#node, root)
      }
    }
    return root ?? emptyRoot()
  }

  /** Takes a batch in; `annotations` has as many, unless the log keeps none. */
  integrate(entries: readonly Uint8Array[], annotations: readonly Uint8Array[]): Integration {
    const result: Integration = { writes: [], fullTiles: [], fullBundles: [] }
    const { writes, fullTiles } = result
    const before = this.#tiles.map((tile, level) => [this.#tileIndex(level), tile.width] as const)
    for (const [at, entry] of entries.entries()) {
      this.#entries.push(entry)
      if (this.#rules.annotated) this.#annotations.push(annotations[at] ?? new Uint8Array(0))
      this.#appendLeaf(entry, fullTiles)
      if (this.#entries.length === TILE_WIDTH) this.#flushBundle(result, Math.floor(this.#size / TILE_WIDTH) - 1)
    }
    if (this.#entries.length > 0) this.#flushBundle(result, Math.floor(this.#size / TILE_WIDTH))
    for (const { level, index, nodes } of fullTiles) {
      writes.push({ path: tilePath({ level, index, width: TILE_WIDTH }), bytes: nodes.bytes() })
    }
    for (const [level, tile] of this.#tiles.entries()) {
      const [index, width] = before[level] ?? [-1, 0]
      const unchanged = index === this.#tileIndex(level) && width === tile.width
      if (tile.width === 0 || unchanged) continue
      // A copy, since the tile goes on growing while this is being written.
      const path = tilePath({ level, index: this.#tileIndex(level), width: tile.width })
      writes.push({ path, bytes: tile.bytes().slice() })
    }
    return result
  }

  /** Starts at a tree that is already there: from its partial tiles and its partial bundle. */
  static async load(rules: EdgeRules, size: number, read: EdgeReader): Promise<RightEdge> {
    const edge = new RightEdge(rules)
    edge.#size = size
    for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / TILE_WIDTH)) {
      const width = rest % TILE_WIDTH
      const hashes = width === 0 ? new Uint8Array(0) : await read.hashes(level, Math.floor(rest / TILE_WIDTH), width)
      edge.#tiles[level] = new TileNodes(hashes)
      edge.#loadFrontier(level, width)
    }
    const partial = size % TILE_WIDTH
    if (partial > 0) edge.#entries = [...(await read.entries(Math.floor(size / TILE_WIDTH), partial))]
    if (partial > 0 && rules.annotated) {
      edge.#annotations = [...(await read.annotations(Math.floor(size / TILE_WIDTH), partial))]
    }
    return edge
  }

  /** The subtree roots that a partial tile has at its right side: one for each bit of its width. */
  #loadFrontier(level: number, width: number): void {
    for (let height = 0; height < TILE_HEIGHT; height++) {
      const count = 2 ** height
      if (Math.floor(width / count) % 2 === 0) continue
      const hash = this.#tiles[level]?.node(height, Math.floor(width / count) - 1)
      if (hash !== undefined) this.#frontier.set(hash, (level * TILE_HEIGHT + height) * HASH_SIZE)
    }
  }

  #appendLeaf(entry: Uint8Array, fullTiles: FullTile[]): void {
    // As a binary counter: every carry joins two complete subtrees of one height.
    // The hash of the growing right side stays in the slot where it will finally remain.
    const home = slotOf(this.#size)
    hashLeafInto(this.#rules.leaf(entry), this.#frontier, home)
    this.#appendToTile(0, home, fullTiles)
    let height = 0
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      this.#node.set(this.#frontier.subarray(height * HASH_SIZE, (height + 1) * HASH_SIZE), 1)
      this.#node.set(this.#frontier.subarray(home, home + HASH_SIZE), 1 + HASH_SIZE)
      digestInto('sha256', this.#node, this.#frontier.subarray(home))
      height++
      if (height % TILE_HEIGHT === 0) this.#appendToTile(height / TILE_HEIGHT, home, fullTiles)
    }
    this.#size++
    for (const [level, tile] of this.#tiles.entries()) {
      if (tile.width === TILE_WIDTH) this.#tiles[level] = new TileNodes()
      else break // a tile only becomes full together with all below it
    }
  }

  #appendToTile(level: number, offset: number, fullTiles: FullTile[]): void {
    const tile = (this.#tiles[level] ??= new TileNodes())
    tile.append(this.#frontier, offset)
    if (tile.width < TILE_WIDTH) return
    fullTiles.push({ level, index: this.#tileIndex(level), nodes: tile })
  }

  #flushBundle({ writes, fullBundles }: Integration, index: number): void {
    const width = this.#entries.length
    writes.push({
      path: bundlePath(this.#rules.bundle.folder, index, width),
      bytes: this.#rules.bundle.encode(this.#entries),
    })
    if (this.#rules.annotated) {
      const bytes = ANNOTATION_BUNDLES.encode(this.#annotations)
      writes.push({ path: bundlePath(ANNOTATION_BUNDLES.folder, index, width), bytes })
    }
    if (width < TILE_WIDTH) return
    fullBundles.push({ index, entries: this.#entries, annotations: this.#annotations })
    this.#entries = []
    this.#annotations = []
  }

  /** Which tile of the level the next hash goes to. */
  #tileIndex(level: number): number {
    return Math.floor(this.#size / TILE_WIDTH ** (level + 1))
  }
}

/** Where {@link RightEdge.load} gets its tiles; each is exactly as wide as asked for. */
export interface EdgeReader {
  hashes(level: number, index: number, width: number): Promise<Uint8Array>
  entries(index: number, width: number): Promise<readonly Uint8Array[]>
  annotations(index: number, width: number): Promise<readonly Uint8Array[]>
}

/** The frontier slot in which a new leaf ends up after all carries: the number of trailing ones of the size. */
function slotOf(size: number): number {
  let height = 0
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) height++
  return height * HASH_SIZE
}
