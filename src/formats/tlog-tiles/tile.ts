/** Which tiles a tree has, and where they are (C2SP tlog-tiles, "Merkle Tree" and "Log entries"). @module */
import { TileError } from './tile-error.js'

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256

/** Levels of the tree that one level of tiles spans. */
export const TILE_HEIGHT = 8

const MAX_LEVEL = 63

/** A tile: hashes of one tile level, or (level `entries`) the entries themselves. */
export interface TileCoordinate {
  /** 0 has the leaf hashes; each further level the roots of the full tiles below it. */
  readonly level: number | 'entries'
  readonly index: number
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number
}

/** The path of a tile below the log's prefix: `tile/0/x001/x234/067.p/8`, `tile/entries/000`. */
export function tilePath(tile: TileCoordinate): string {
  checkTile(tile)
  const partial = tile.width === TILE_WIDTH ? '' : `.p/${String(tile.width)}`
  return `tile/${String(tile.level)}/${tileIndexPath(tile.index)}${partial}`
}

/** The index in groups of three digits, all but the last one marked with `x`. */
export function tileIndexPath(index: number): string {
  checkIndex(index)
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  }
  return path
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/**
 * Reads a path that {@link tilePath} could have made; anything else, also leading zeros, is refused,
 * so that a tile has one address only.
 * @throws TileError `TILE_PATH`
 */
export function parseTilePath(path: string): TileCoordinate {
  const match = PATH.exec(path)
  if (match === null || path.length > 100) throw notAPath(path)
  const [, level = '', digits = '', width] = match
  const tile: TileCoordinate = {
    level: level === 'entries' ? level : Number(level),
    index: Number(digits.replace(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  const valid = isTile(tile) && tilePath(tile) === path
  if (!valid) throw notAPath(path)
  return tile
}

/** How many hashes there are on a tile level of a tree (level 0: the leaves). */
export function hashesOnLevel(level: number, treeSize: number): number {
  return Math.floor(treeSize / TILE_WIDTH ** level)
}

/** The width of the rightmost, partial tile of a level; 0 when there is none. Bundles of entries go with level 0. */
export function partialWidth(level: number | 'entries', treeSize: number): number {
  return hashesOnLevel(level === 'entries' ? 0 : level, treeSize) % TILE_WIDTH
}

/** The tile as a tree of that size has it, full or partial; undefined when it is not in that tree. */
export function tileInTree(level: number | 'entries', index: number, treeSize: number): TileCoordinate | undefined {
  const hashes = hashesOnLevel(level === 'entries' ? 0 : level, treeSize)
  const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH)
  return width > 0 ? { level, index, width } : undefined
}

/** The hash tiles that a tree of `newSize` has and one of `oldSize` had not, level by level. */
export function newTiles(oldSize: number, newSize: number): TileCoordinate[] {
  const tiles: TileCoordinate[] = []
  for (let level = 0; hashesOnLevel(level, newSize) > 0; level++) {
    tiles.push(...newOnLevel(level, oldSize, newSize))
  }
  return tiles
}

/** The entry bundles that a tree of `newSize` has and one of `oldSize` had not. */
export function newEntryBundles(oldSize: number, newSize: number): TileCoordinate[] {
  return newOnLevel('entries', oldSize, newSize)
}

function newOnLevel(level: number | 'entries', oldSize: number, newSize: number): TileCoordinate[] {
  const tiles: TileCoordinate[] = []
  const depth = level === 'entries' ? 0 : level
  const [before, after] = [hashesOnLevel(depth, oldSize), hashesOnLevel(depth, newSize)]
  if (before >= after) return tiles
  for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index++) {
    tiles.push({ level, index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) })
  }
  return tiles
}

/** Where a complete subtree's hash is found: in which tile, and which row of which hashes there. */
export interface NodeLocation {
  readonly tileLevel: number
  readonly tileIndex: number
  /** The hashes `[first, first + count)` of the tile; the node is the root over them, `count` a power of two. */
  readonly first: number
  readonly count: number
}

/** Locates node `index` of tree level `level` (as in merkle/tree) among the tiles. */
export function locateNode(level: number, index: number): NodeLocation {
  checkIndex(index)
  const tileLevel = Math.floor(level / TILE_HEIGHT)
  const count = 2 ** (level % TILE_HEIGHT)
  const start = index * count
  return { tileLevel, tileIndex: Math.floor(start / TILE_WIDTH), first: start % TILE_WIDTH, count }
}

function isTile({ level, index, width }: TileCoordinate): boolean {
  const levelFits = level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= MAX_LEVEL)
  const widthFits = Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH
  return levelFits && widthFits && Number.isSafeInteger(index) && index >= 0
}

function checkTile(tile: TileCoordinate): void {
  if (isTile(tile)) return
  throw new TileError('TILE_COORDINATE', 'there is no such tile', {
    expected: 'level 0 to 63, index from 0, width 1 to 256',
    found: `level ${String(tile.level)}, index ${String(tile.index)}, width ${String(tile.width)}`,
  })
}

function checkIndex(index: number): void {
  if (Number.isSafeInteger(index) && index >= 0) return
  throw new TileError('TILE_COORDINATE', 'not an index', { expected: 'a non-negative integer', found: String(index) })
}

function notAPath(path: string): TileError {
  return new TileError('TILE_PATH', 'not the path of a tile', {
    expected: 'tile/<level>/<index>[.p/<width>] as of C2SP tlog-tiles',
    found: path.slice(0, 100),
  })
}
