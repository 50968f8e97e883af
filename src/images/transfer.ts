/** How far the moving of blobs has come, for whoever watches. @module */
import type { Descriptor } from '#formats/oci/descriptor'
import type { CollectedBlob } from './collect.js'

/** Told of every step. */
export interface Transfer {
  /** What there is to move. */
  expect(blobs: readonly CollectedBlob[]): void
  /** Bytes on their way. */
  moved(bytes: number): void
  /** A blob has arrived. */
  arrived(blob: Descriptor): void
  /** A blob did not have to be moved: it is there, or was taken over within the registry. */
  present(blob: Descriptor): void
}

/** Passes the pieces on and tells of them. */
export async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  descriptor: Descriptor,
  transfer: Transfer,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    transfer.moved(piece.length)
    yield piece
  }
  transfer.arrived(descriptor)
}
