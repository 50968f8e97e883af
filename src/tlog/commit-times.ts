/**
 * When each entry was taken in, 256 times together, in the layout of entry bundles.
 * A tree does not have these: Rekor v1 states them, and its leaves do not.
 * @module
 */
import { ByteReader, concatBytes, uint64be } from '#encoding/bytes'
import { TlogError } from './errors.js'

/** Beside `tile/`, since C2SP tlog-tiles knows nothing of it. */
export const TIMES_FOLDER = 'times'

const TIME_SIZE = 8

/** Milliseconds since 1970 as eight bytes each. */
export function encodeTimes(times: readonly number[]): Uint8Array {
  return concatBytes(...times.map((time) => uint64be(BigInt(time))))
}

/** @throws TlogError `TLOG_TILE_CORRUPT` */
export function decodeTimes(bytes: Uint8Array): number[] {
  if (bytes.length % TIME_SIZE !== 0) {
    throw new TlogError('TLOG_TILE_CORRUPT', 'a table of entry times is cut short', {
      expected: `a multiple of ${String(TIME_SIZE)} bytes`,
      found: `${String(bytes.length)} bytes`,
    })
  }
  const reader = new ByteReader(bytes)
  return Array.from({ length: bytes.length / TIME_SIZE }, () => Number(reader.u64()))
}
