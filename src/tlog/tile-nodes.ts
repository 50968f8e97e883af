/** One hash tile that may still grow, with the inner nodes over its hashes, each computed once. @module */
import { digestInto } from '#crypto/digest'
import { HASH_SIZE } from '#formats/merkle/hash'
import { TILE_HEIGHT, TILE_WIDTH } from '#formats/tlog-tiles/tile'

/** Where the nodes of each height begin: 256 hashes, then 128 parents, … then the root of the full tile. */
const STARTS: readonly number[] = Array.from({ length: TILE_HEIGHT + 1 }, (_, height) =>
  Array.from({ length: height }, (_unused, below) => TILE_WIDTH >> below).reduce((sum, count) => sum + count, 0),
)
const NODES = 2 * TILE_WIDTH - 1

/** Hashes are only ever appended, so that a reader of the first n never sees them change. */
export class TileNodes {
  readonly #hashes = new Uint8Array(NODES * HASH_SIZE)
  readonly #known = new Uint8Array(NODES)
  readonly #input = new Uint8Array(1 + 2 * HASH_SIZE)
  #width = 0

  constructor(hashes: Uint8Array = new Uint8Array(0)) {
    this.#hashes.set(hashes)
    this.#width = hashes.length / HASH_SIZE
    this.#input[0] = 1
  }

  /** How many hashes the tile has. */
  get width(): number {
    return this.#width
  }

  /** The tile's bytes at a width that it has reached. A view. */
  bytes(width: number = this.#width): Uint8Array {
    return this.#hashes.subarray(0, width * HASH_SIZE)
  }

  /** Appends the hash that stands at `offset` of `source`. */
  append(source: Uint8Array, offset: number): void {
    const start = this.#width * HASH_SIZE
    for (let i = 0; i < HASH_SIZE; i++) this.#hashes[start + i] = source[offset + i] ?? 0
    this.#width++
  }

  /** The node of 2^`height` hashes beginning at hash `position`·2^`height`, all of which must be there. A view. */
  node(height: number, position: number): Uint8Array {
    const at = (STARTS[height] ?? 0) + position
    const offset = at * HASH_SIZE
    if (height > 0 && this.#known[at] === 0) {
      // Both children first: computing them uses the same input buffer.
      const [left, right] = [this.node(height - 1, 2 * position), this.node(height - 1, 2 * position + 1)]
      this.#input.set(left, 1)
      this.#input.set(right, 1 + HASH_SIZE)
      digestInto('sha256', this.#input, this.#hashes.subarray(offset))
      this.#known[at] = 1
    }
    return this.#hashes.subarray(offset, offset + HASH_SIZE)
  }
}
