/** Why a checkpoint was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link CheckpointError}. */
export type CheckpointErrorCode = 'CHECKPOINT_MALFORMED' | 'CHECKPOINT_COSIGNATURE'

/** A checkpoint that says nothing usable. */
export class CheckpointError extends CodedError<CheckpointErrorCode> {
  override readonly name = 'CheckpointError'
}
