/** An entry together with the proof that a published tree has it, checked before anybody is told. @module */
import { hashLeaf } from '#formats/merkle/hash'
import { verifyInclusion } from '#formats/merkle/proof'
import type { Log } from './log.js'
import type { PublishedCheckpoint } from './rules.js'

export interface ProvenEntry {
  readonly index: number
  readonly entry: Uint8Array
  readonly annotation: Uint8Array
  readonly leafHash: Uint8Array
  /** From the leaf upwards, in the tree of {@link checkpoint}. */
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: PublishedCheckpoint
}

/**
 * Reads an entry and proves it in the tree of a checkpoint. The leaf hash is computed from the entry, so that a damaged
 * store is found here and not by a client.
 * @param leafOf - the bytes that the leaf hash of this log's entries is over
 * @throws TlogError `TLOG_RANGE` if the tree has no such entry; MerkleError if the store contradicts itself
 */
export async function proveEntry(
  log: Log,
  index: number,
  { checkpoint = log.checkpoint, leafOf = (entry: Uint8Array): Uint8Array => entry }: ProofOptions = {},
): Promise<ProvenEntry> {
  const proof = await log.inclusionProof(index, checkpoint.size)
  const [entry, annotation] = await Promise.all([log.entry(index), log.annotation(index)])
  const leafHash = hashLeaf(leafOf(entry))
  const claim = { leafIndex: BigInt(index), treeSize: BigInt(checkpoint.size), leafHash, proof }
  verifyInclusion({ ...claim, root: checkpoint.rootHash })
  return { index, entry, annotation, leafHash, proof, checkpoint }
}

export interface ProofOptions {
  /** Default: the newest one. */
  readonly checkpoint?: PublishedCheckpoint
  /** Default: the entry itself. */
  readonly leafOf?: (entry: Uint8Array) => Uint8Array
}
