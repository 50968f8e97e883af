/** Merkle trees computed the slow way, straight from RFC 6962 §2.1, to compare with. @module */
import { emptyRoot, hashLeaf, hashNode } from '#formats/merkle/hash'

/** MTH(D[n]). */
export function slowRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return emptyRoot()
  if (leaves.length === 1) return hashLeaf(first)
  let k = 1
  while (2 * k < leaves.length) k *= 2
  return hashNode(slowRoot(leaves.slice(0, k)), slowRoot(leaves.slice(k)))
}
