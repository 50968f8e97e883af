/** Entry bundles: log entries one after the other, each with a two-byte length (C2SP tlog-tiles, "Log entries"). @module */
import { TILE_WIDTH } from './tile.js'
import { TileError } from './tile-error.js'

/** The largest entry a bundle can hold. */
export const MAX_ENTRY_SIZE = 0xffff

/**
 * Puts entries into a bundle.
 * @throws TileError `TILE_ENTRY_SIZE` for an entry over 65535 bytes, `TILE_BUNDLE` for more than 256 entries
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length > TILE_WIDTH) throw tooMany(entries.length)
  let size = 0
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_SIZE) {
      throw new TileError('TILE_ENTRY_SIZE', 'the entry is too large for the log', {
        expected: `at most ${String(MAX_ENTRY_SIZE)} bytes`,
        found: `${String(entry.length)} bytes`,
      })
    }
    size += 2 + entry.length
  }
  const bundle = new Uint8Array(size)
  let offset = 0
  for (const entry of entries) {
    bundle[offset] = entry.length >> 8
    bundle[offset + 1] = entry.length & 0xff
    bundle.set(entry, offset + 2)
    offset += 2 + entry.length
  }
  return bundle
}

/**
 * Takes a bundle apart; the entries are views into it.
 * @throws TileError `TILE_BUNDLE` when it is cut short or holds more than 256 entries
 */
export function decodeEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = []
  let offset = 0
  while (offset < bundle.length) {
    const [high, low] = [bundle[offset], bundle[offset + 1]]
    const start = offset + 2
    const end = start + ((high ?? 0) << 8) + (low ?? 0)
    if (low === undefined || end > bundle.length) {
      throw new TileError('TILE_BUNDLE', 'the entry bundle is cut short', {
        expected: `${String(end)} bytes for entry ${String(entries.length)}`,
        found: `${String(bundle.length)} bytes`,
      })
    }
    if (entries.length === TILE_WIDTH) throw tooMany(entries.length + 1)
    entries.push(bundle.subarray(start, end))
    offset = end
  }
  return entries
}

function tooMany(count: number): TileError {
  return new TileError('TILE_BUNDLE', 'too many entries for one bundle', {
    expected: `at most ${String(TILE_WIDTH)}`,
    found: String(count),
  })
}
