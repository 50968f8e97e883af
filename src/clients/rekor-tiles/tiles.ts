/** Reading a log's tiles over HTTP. @module */
import { tilePath, TILE_WIDTH, type TileCoordinate } from '#formats/tlog-tiles/tile'
import { MAX_ENTRY_SIZE } from '#formats/tlog-tiles/entry-bundle'
import { discardBody, readBytes } from '../http/body.js'
import type { Fetch } from '../http/fetch.js'
import { hostOf } from '../http/service.js'
import { rekorRefusal } from '../rekor/refusal.js'
import { RekorError } from '../rekor/rekor-error.js'

/** Tiles of one log; hash tiles never change, so each is fetched once. */
export interface TileReader {
  /**
   * A tile's bytes. Of a partial tile that is gone because the full one exists, the beginning of the full one is read.
   * @throws RekorError REKOR_NOT_FOUND, REKOR_RESPONSE
   */
  tile(coordinate: TileCoordinate): Promise<Uint8Array>
}

const HASH = 32

/** Tiles below `baseUrl`, which is the prefix of `/tile/…`. */
export function createTileReader({ fetch, baseUrl }: { readonly fetch: Fetch; readonly baseUrl: string }): TileReader {
  const known = new Map<string, Promise<Uint8Array>>()
  const host = hostOf(baseUrl)
  const load = async (coordinate: TileCoordinate): Promise<Uint8Array> => {
    const response = await fetch(`${baseUrl}/${tilePath(coordinate)}`)
    if (response.status === 200) {
      return await readBytes(response, { limit: sizeLimit(coordinate), what: `a tile of ${host}` })
    }
    if (response.status === 404 && coordinate.width < TILE_WIDTH) {
      await discardBody(response)
      return await load({ ...coordinate, width: TILE_WIDTH })
    }
    throw await rekorRefusal(response, host)
  }
  const checked = async (coordinate: TileCoordinate): Promise<Uint8Array> => {
    const bytes = await load(coordinate)
    if (coordinate.level === 'entries') return bytes
    if (bytes.length % HASH === 0 && bytes.length >= coordinate.width * HASH)
      return bytes.subarray(0, coordinate.width * HASH)
    throw new RekorError('REKOR_RESPONSE', `${host} sent a tile of the wrong size`, {
      expected: `${String(coordinate.width * HASH)} bytes`,
      found: `${String(bytes.length)} bytes`,
    })
  }
  return {
    tile: async (coordinate) => {
      const path = tilePath(coordinate)
      const tile = known.get(path) ?? checked(coordinate)
      known.set(path, tile)
      try {
        return await tile
      } catch (error) {
        known.delete(path)
        throw error
      }
    },
  }
}

function sizeLimit({ level }: TileCoordinate): number {
  return level === 'entries' ? TILE_WIDTH * (MAX_ENTRY_SIZE + 2) : TILE_WIDTH * HASH
}
