/** Why a tile, an entry bundle or the address of one was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link TileError}. */
export type TileErrorCode = 'TILE_COORDINATE' | 'TILE_PATH' | 'TILE_ENTRY_SIZE' | 'TILE_BUNDLE'

/** A tile that cannot be. */
export class TileError extends CodedError<TileErrorCode> {
  override readonly name = 'TileError'
}
