/** Making roots and proofs from the complete subtrees that a log stores (RFC 6962 §2.1.1, §2.1.2). @module */
import { emptyRoot, hashNode } from './hash.js'
import { MerkleError } from './merkle-error.js'

/**
 * Reads the hash of a complete subtree: level 0 are the leaves, and node `index` of level `l` covers the leaves
 * `[index·2^l, (index+1)·2^l)`. Only nodes inside of the tree in question are asked for.
 */
export type NodeReader = (level: number, index: number) => Uint8Array | Promise<Uint8Array>

/** Leaves `[begin, end)`. */
interface LeafRange {
  readonly begin: number
  readonly end: number
}

/** The root of the tree of the first `size` leaves. */
export async function treeRoot(nodes: NodeReader, size: number): Promise<Uint8Array> {
  checkSize(size)
  return size === 0 ? emptyRoot() : await subtreeHash(nodes, { begin: 0, end: size })
}

/**
 * The inclusion proof of leaf `index` in the tree of the first `size` leaves, from the leaf upwards.
 * @throws MerkleError `MERKLE_INDEX` when the leaf is not in that tree
 */
export async function proveInclusion(nodes: NodeReader, index: number, size: number): Promise<Uint8Array[]> {
  checkSize(size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw outside(index, size)
  const path: LeafRange[] = []
  let [begin, end] = [0, size]
  while (end - begin > 1) {
    const middle = begin + split(end - begin)
    if (index < middle) {
      path.push({ begin: middle, end })
      end = middle
    } else {
      path.push({ begin, end: middle })
      begin = middle
    }
  }
  return hashUpwards(nodes, path)
}

/**
 * The proof that the tree of `to` leaves begins with the tree of `from` leaves; empty when either is trivial.
 * @throws MerkleError `MERKLE_INDEX` when `from` is larger than `to`
 */
export async function proveConsistency(nodes: NodeReader, from: number, to: number): Promise<Uint8Array[]> {
  checkSize(to)
  if (!Number.isSafeInteger(from) || from < 0 || from > to) throw outside(from, to)
  if (from === 0 || from === to) return []
  const path: LeafRange[] = []
  let [begin, end] = [0, to]
  // SUBPROOF(m, D, b) of RFC 6962 §2.1.2 as a loop; m is `from - begin`, and b says that no left side was skipped.
  while (from !== end) {
    const middle = begin + split(end - begin)
    if (from <= middle) {
      path.push({ begin: middle, end })
      end = middle
    } else {
      path.push({ begin, end: middle })
      begin = middle
    }
  }
  if (begin !== 0) path.push({ begin, end })
  return hashUpwards(nodes, path)
}

/** The ranges were met from the root down; proofs run from the leaf up. The reads may go out together. */
function hashUpwards(nodes: NodeReader, path: readonly LeafRange[]): Promise<Uint8Array[]> {
  return Promise.all([...path].reverse().map((range) => subtreeHash(nodes, range)))
}

async function subtreeHash(nodes: NodeReader, { begin, end }: LeafRange): Promise<Uint8Array> {
  const count = end - begin
  const left = split(count)
  // `left` is the largest power of two below `count`: twice as many is a complete subtree.
  if (count === 1 || count === 2 * left) return nodes(levelOf(count), begin / count)
  const middle = begin + left
  const [l, r] = await Promise.all([
    subtreeHash(nodes, { begin, end: middle }),
    subtreeHash(nodes, { begin: middle, end }),
  ])
  return hashNode(l, r)
}

/** The largest power of two smaller than `count`; 1 for a single leaf, which is not split. */
function split(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

function levelOf(count: number): number {
  let level = 0
  for (let power = 1; power < count; power *= 2) level++
  return level
}

function checkSize(size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return
  throw new MerkleError('MERKLE_INDEX', 'not a tree size', {
    expected: 'a non-negative safe integer',
    found: String(size),
  })
}

function outside(index: number, size: number): MerkleError {
  return new MerkleError('MERKLE_INDEX', 'outside of the tree', {
    expected: `at most ${String(size)} leaves`,
    found: String(index),
  })
}
