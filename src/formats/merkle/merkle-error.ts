/** Why a Merkle tree proof was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link MerkleError}. */
export type MerkleErrorCode = 'MERKLE_HASH_SIZE' | 'MERKLE_INDEX' | 'MERKLE_PROOF_SIZE' | 'MERKLE_ROOT_MISMATCH'

/** A proof that does not prove what it should, or a question that no tree can answer. */
export class MerkleError extends CodedError<MerkleErrorCode> {
  override readonly name = 'MerkleError'
}
