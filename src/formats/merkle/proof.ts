/** Checking inclusion and consistency proofs (RFC 9162 §2.1.3.2 and §2.1.4.2). @module */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { HASH_SIZE, emptyRoot, hashNode } from './hash.js'
import { MerkleError } from './merkle-error.js'

/** An inclusion proof and what it is about. */
export interface InclusionClaim {
  readonly leafIndex: bigint
  readonly treeSize: bigint
  readonly leafHash: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** A consistency proof and the two trees it connects. */
export interface ConsistencyClaim {
  readonly fromSize: bigint
  readonly toSize: bigint
  readonly fromRoot: Uint8Array
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * The root that follows from a leaf and its proof.
 * @throws MerkleError `MERKLE_INDEX`, `MERKLE_HASH_SIZE`, `MERKLE_PROOF_SIZE`
 */
export function rootFromInclusionProof({ leafIndex, treeSize, leafHash, proof }: InclusionClaim): Uint8Array {
  if (leafIndex < 0n || leafIndex >= treeSize) {
    throw new MerkleError('MERKLE_INDEX', 'the leaf index is outside of the tree', {
      expected: `an index below the tree size ${String(treeSize)}`,
      found: String(leafIndex),
    })
  }
  checkHashes([leafHash, ...proof])
  let fn = leafIndex
  let sn = treeSize - 1n
  let hash = leafHash
  for (const sibling of proof) {
    if (sn === 0n) throw proofSize('more hashes than the tree is high', proof)
    if (isOdd(fn) || fn === sn) {
      hash = hashNode(sibling, hash)
      while (fn !== 0n && !isOdd(fn)) [fn, sn] = [fn >> 1n, sn >> 1n]
    } else {
      hash = hashNode(hash, sibling)
    }
    fn >>= 1n
    sn >>= 1n
  }
  if (sn !== 0n) throw proofSize('too few hashes for the tree', proof)
  return hash
}

/**
 * Checks that the leaf is in the tree with `root`.
 * @throws MerkleError `MERKLE_ROOT_MISMATCH` and the codes of {@link rootFromInclusionProof}
 */
export function verifyInclusion(claim: InclusionClaim & { readonly root: Uint8Array }): void {
  checkHashes([claim.root])
  expectRoot('the inclusion proof leads to another root hash', claim.root, rootFromInclusionProof(claim))
}

/**
 * Checks that the larger tree begins with the smaller one.
 * @throws MerkleError `MERKLE_INDEX`, `MERKLE_HASH_SIZE`, `MERKLE_PROOF_SIZE`, `MERKLE_ROOT_MISMATCH`
 */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { fromSize, toSize, fromRoot, toRoot, proof } = claim
  if (fromSize < 0n || fromSize > toSize) {
    throw new MerkleError('MERKLE_INDEX', 'a tree cannot be consistent with a smaller one', {
      expected: `a size of at least ${String(fromSize)}`,
      found: String(toSize),
    })
  }
  checkHashes([fromRoot, toRoot, ...proof])
  if (fromSize === toSize || fromSize === 0n) {
    if (proof.length !== 0) throw proofSize('no hashes are needed', proof)
    // Everything is consistent with the empty tree, of which there is only one.
    expectRoot('two roots were given for one tree size', fromSize === 0n ? emptyRoot() : toRoot, fromRoot)
    return
  }
  const [from, to] = rootsFromConsistencyProof(claim)
  expectRoot('the consistency proof does not lead to the root of the smaller tree', fromRoot, from)
  expectRoot('the consistency proof does not lead to the root of the larger tree', toRoot, to)
}

/** RFC 9162 §2.1.4.2, steps 2 to 7, for 0 < fromSize < toSize. */
function rootsFromConsistencyProof({ fromSize, toSize, fromRoot, proof }: ConsistencyClaim): [Uint8Array, Uint8Array] {
  // A complete smaller tree is itself a node of the larger one, so the proof leaves it out.
  const path = isPowerOfTwo(fromSize) ? [fromRoot, ...proof] : proof
  let fn = fromSize - 1n
  let sn = toSize - 1n
  while (isOdd(fn)) [fn, sn] = [fn >> 1n, sn >> 1n]
  const seed = path[0]
  if (seed === undefined || proof.length === 0) throw proofSize('a proof is needed', proof)
  let [from, to] = [seed, seed]
  for (const hash of path.slice(1)) {
    if (sn === 0n) throw proofSize('more hashes than the trees are high', proof)
    if (isOdd(fn) || fn === sn) {
      from = hashNode(hash, from)
      to = hashNode(hash, to)
      while (fn !== 0n && !isOdd(fn)) [fn, sn] = [fn >> 1n, sn >> 1n]
    } else {
      to = hashNode(to, hash)
    }
    fn >>= 1n
    sn >>= 1n
  }
  if (sn !== 0n) throw proofSize('too few hashes for the trees', proof)
  return [from, to]
}

function expectRoot(message: string, expected: Uint8Array, found: Uint8Array): void {
  if (equalBytes(expected, found)) return
  throw new MerkleError('MERKLE_ROOT_MISMATCH', message, { expected: encodeHex(expected), found: encodeHex(found) })
}

function checkHashes(hashes: readonly Uint8Array[]): void {
  for (const hash of hashes) {
    if (hash.length === HASH_SIZE) continue
    throw new MerkleError('MERKLE_HASH_SIZE', 'a hash of the proof has the wrong size', {
      expected: `${String(HASH_SIZE)} bytes`,
      found: `${String(hash.length)} bytes`,
    })
  }
}

function proofSize(message: string, proof: readonly Uint8Array[]): MerkleError {
  return new MerkleError('MERKLE_PROOF_SIZE', `the proof has the wrong length: ${message}`, {
    found: `${String(proof.length)} hashes`,
  })
}

function isOdd(n: bigint): boolean {
  return (n & 1n) === 1n
}

function isPowerOfTwo(n: bigint): boolean {
  return n > 0n && (n & (n - 1n)) === 0n
}
