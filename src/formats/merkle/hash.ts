/** Leaf and node hashes of RFC 6962 §2.1 trees over SHA-256. @module */
import { digestInto, sha256 } from '#crypto/digest'
import { MerkleError } from './merkle-error.js'

/** Bytes in a tree hash. */
export const HASH_SIZE = 32

const NODE_SIZE = 2 * HASH_SIZE + 1

/** The root of the tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0))
}

/** `SHA-256(0x00 ‖ data)`: the prefix keeps a leaf from passing for a node (RFC 6962 §2.1). */
export function hashLeaf(data: Uint8Array): Uint8Array {
  return sha256(leafInput(data))
}

/** Like {@link hashLeaf}, written to `target` at `offset`. */
export function hashLeafInto(data: Uint8Array, target: Uint8Array, offset: number): void {
  digestInto('sha256', leafInput(data), target.subarray(offset))
}

/** Reused from leaf to leaf: an allocation each costs more than hashing does. Its first byte stays 0x00. */
let leafBuffer: Uint8Array = new Uint8Array(4096)
const MAX_LEAF_BUFFER = 128 * 1024

/** Good until the next call. */
function leafInput(data: Uint8Array): Uint8Array {
  const size = data.length + 1
  if (size > leafBuffer.length) {
    if (size > MAX_LEAF_BUFFER) {
      const input = new Uint8Array(size)
      input.set(data, 1)
      return input
    }
    leafBuffer = new Uint8Array(MAX_LEAF_BUFFER)
  }
  leafBuffer.set(data, 1)
  return leafBuffer.subarray(0, size)
}

/** `SHA-256(0x01 ‖ left ‖ right)`. */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(NODE_SIZE)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 1 + HASH_SIZE)
  return sha256(input)
}

/**
 * The parents of neighbouring nodes: `level` is a whole number of hash pairs, end to end, and so is the result.
 * One buffer a level instead of one a node; that is where the time of building tiles goes.
 * @throws MerkleError `MERKLE_HASH_SIZE` when the bytes are not pairs of hashes
 */
export function hashLevel(level: Uint8Array): Uint8Array {
  if (level.length % (2 * HASH_SIZE) !== 0) {
    throw new MerkleError('MERKLE_HASH_SIZE', 'a level to be hashed is not made of pairs of hashes', {
      expected: `a multiple of ${String(2 * HASH_SIZE)} bytes`,
      found: `${String(level.length)} bytes`,
    })
  }
  const parents = new Uint8Array(level.length / 2)
  const input = new Uint8Array(NODE_SIZE)
  input[0] = 1
  for (let offset = 0; offset < parents.length; offset += HASH_SIZE) {
    input.set(level.subarray(2 * offset, 2 * offset + 2 * HASH_SIZE), 1)
    digestInto('sha256', input, parents.subarray(offset))
  }
  return parents
}
