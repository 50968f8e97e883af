/** An entry of a transparency log together with the proofs that it is there, of any Rekor version. @module */
import type { UnixMillis } from '#time'

/** The proof that an entry is in the tree with a given root. */
export interface InclusionProof {
  /** The index in the tree (not across shards). */
  readonly logIndex: bigint
  readonly rootHash: Uint8Array
  readonly treeSize: bigint
  /** From the leaf's sibling upwards. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note that states the root. */
  readonly checkpoint: string | undefined
}

/** A log entry as bundles and Rekor's answers carry it. Nothing in it is verified. */
export interface LogEntry {
  /** The index across all shards of the log; what people are shown and what a SET covers. */
  readonly logIndex: bigint
  readonly logId: Uint8Array
  readonly kind: string
  readonly version: string
  /** Whole seconds; absent for Rekor v2. Not to be trusted without a verified inclusion promise. */
  readonly integratedTime: UnixMillis | undefined
  /** The signed entry timestamp (SET) of Rekor v1. */
  readonly inclusionPromise?: Uint8Array | undefined
  readonly inclusionProof?: InclusionProof | undefined
  /** What the leaf hash is over. */
  readonly canonicalizedBody: Uint8Array
}
