/** C2SP tlog checkpoints: origin, size and root hash of a log, as the text of a signed note. @module */

/** What a checkpoint says. */
export interface Checkpoint {
  readonly origin: string
  readonly size: bigint
  readonly rootHash: Uint8Array
  /** Extension lines, as they stand. */
  readonly extensions: readonly string[]
}
