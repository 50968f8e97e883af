/** Names of log entries: the leaf hash, and Rekor v1's entry UUIDs. @module */
import { encodeHex, decodeHex } from '#encoding/hex'
import { hashLeaf } from '../merkle/hash.js'
import { RekorEntryError } from './rekor-entry-error.js'

const TREE_ID_DIGITS = 16
const LEAF_HASH_DIGITS = 64

/** An entry id taken apart. */
export interface EntryId {
  /** Which tree (shard); absent in the short form. */
  readonly treeId?: bigint | undefined
  readonly leafHash: Uint8Array
}

/** The Merkle leaf hash of an entry. */
export function leafHash(canonicalizedBody: Uint8Array): Uint8Array {
  return hashLeaf(canonicalizedBody)
}

/** The 80 digits that Rekor v1 calls an entry: tree id and leaf hash. */
export function formatEntryId(treeId: bigint, hash: Uint8Array): string {
  return BigInt.asUintN(64, treeId).toString(16).padStart(TREE_ID_DIGITS, '0') + encodeHex(hash)
}

/** Reads the long form or a bare leaf hash. @throws RekorEntryError `REKOR_ENTRY_ID` */
export function parseEntryId(text: string): EntryId {
  if (/^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{80})$/.test(text)) {
    const hash = decodeHex(text.slice(-LEAF_HASH_DIGITS).toLowerCase())
    const tree = text.slice(0, -LEAF_HASH_DIGITS)
    if (tree === '') return { leafHash: hash }
    const treeId = BigInt.asIntN(64, BigInt(`0x${tree}`))
    if (treeId !== 0n) return { treeId, leafHash: hash }
  }
  throw new RekorEntryError('REKOR_ENTRY_ID', 'not the id of a log entry', {
    expected: '64 hexadecimal digits, or 80 with the id of the tree in front',
    found: text.slice(0, 100),
  })
}
