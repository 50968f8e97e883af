/** An inclusion proof, made by the client from a log's tiles. @module */
import { isCodedError } from '#errors'
import type { SignedCheckpoint } from '#formats/checkpoint/checkpoint'
import { hashLeaf, hashNode } from '#formats/merkle/hash'
import { verifyInclusion } from '#formats/merkle/proof'
import { proveInclusion, type NodeReader } from '#formats/merkle/tree'
import type { InclusionProof } from '#formats/rekor-entry/log-entry'
import { locateNode, tileInTree } from '#formats/tlog-tiles/tile'
import { RekorError } from '../rekor/rekor-error.js'
import type { TileReader } from './tiles.js'

const HASH = 32

/** What is to be proven, against which checkpoint. */
export interface ProofRequest {
  readonly tiles: TileReader
  readonly index: number
  readonly checkpoint: SignedCheckpoint & { readonly text: string }
  /** The canonicalized body that must be at `index`. */
  readonly body: Uint8Array
  /** For error texts. */
  readonly host: string
}

/**
 * Builds the proof that `body` is the log's entry `index`, and checks that it leads to the checkpoint's root.
 * The checkpoint's signature is for the caller to verify.
 * @throws RekorError REKOR_RESPONSE if the log does not hold that body there
 */
export async function proveFromTiles({ tiles, index, checkpoint, body, host }: ProofRequest): Promise<InclusionProof> {
  const { size, rootHash } = checkpoint.checkpoint
  try {
    const hashes = await proveInclusion(nodesOf(tiles, Number(size)), index, Number(size))
    const claim = { leafIndex: BigInt(index), treeSize: size, leafHash: hashLeaf(body), proof: hashes, root: rootHash }
    verifyInclusion(claim)
    return { logIndex: BigInt(index), rootHash, treeSize: size, hashes, checkpoint: checkpoint.text }
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorError) throw cause
    throw new RekorError('REKOR_RESPONSE', `${host} says that an equal entry is there, but its tiles do not show it`, {
      expected: `the entry that was sent, at index ${String(index)}`,
      found: cause.message,
      cause,
    })
  }
}

function nodesOf(tiles: TileReader, size: number): NodeReader {
  return async (level, index) => {
    const { tileLevel, tileIndex, first, count } = locateNode(level, index)
    const coordinate = tileInTree(tileLevel, tileIndex, size)
    const tile = coordinate === undefined ? new Uint8Array(0) : await tiles.tile(coordinate)
    return subtree(tile.subarray(first * HASH, (first + count) * HASH))
  }
}

/** The root over 2^n adjacent hashes. */
function subtree(hashes: Uint8Array): Uint8Array {
  if (hashes.length <= HASH) return hashes
  const middle = hashes.length / 2
  return hashNode(subtree(hashes.subarray(0, middle)), subtree(hashes.subarray(middle)))
}
