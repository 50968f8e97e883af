/** What is signed. @module */
import { concatBytes } from '#encoding/bytes'

/** Bytes, or a stream of them, which is read once and never held whole where the algorithm hashes first. */
export type SignInput = Uint8Array | AsyncIterable<Uint8Array>

/** The whole of an input in memory, for the algorithms that sign the message itself. */
export async function collectInput(input: SignInput): Promise<Uint8Array> {
  if (input instanceof Uint8Array) return input
  const chunks: Uint8Array[] = []
  for await (const chunk of input) chunks.push(chunk)
  return concatBytes(...chunks)
}
