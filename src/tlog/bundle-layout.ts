/** How entries are put into bundles: the C2SP tlog-tiles layout, and a place for layouts like static-ct's. @module */
import { MAX_ENTRY_SIZE, decodeEntryBundle, encodeEntryBundle } from '#formats/tlog-tiles/entry-bundle'
import { TILE_WIDTH, tileIndexPath } from '#formats/tlog-tiles/tile'

/** Where 256 entries are kept together, and how. */
export interface BundleLayout {
  /** The folder of the bundles: `tile/entries`, `tile/data`. */
  readonly folder: string
  /** The largest entry that fits, in bytes. */
  readonly maxEntrySize: number
  encode(entries: readonly Uint8Array[]): Uint8Array
  /** Takes a bundle apart; throws a coded error if it is damaged. */
  decode(bundle: Uint8Array): readonly Uint8Array[]
}

/** The layout of C2SP tlog-tiles. */
export const ENTRY_BUNDLES: BundleLayout = {
  folder: 'tile/entries',
  maxEntrySize: MAX_ENTRY_SIZE,
  encode: encodeEntryBundle,
  decode: decodeEntryBundle,
}

/**
 * Where annotations are: what a log keeps beside its entries although the tree does not cover it.
 * Beside `tile/`, since C2SP tlog-tiles knows nothing of it; framed as entries are.
 */
export const ANNOTATION_BUNDLES: BundleLayout = { ...ENTRY_BUNDLES, folder: 'annotations' }

/** The path of a bundle, or of anything else that is kept 256 entries together. */
export function bundlePath(folder: string, index: number, width: number): string {
  return `${folder}/${tileIndexPath(index)}${width === TILE_WIDTH ? '' : `.p/${String(width)}`}`
}
