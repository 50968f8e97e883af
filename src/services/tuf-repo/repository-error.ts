/** Why a TUF repository cannot be kept. @module */
import { CodedError } from '#errors'

/** Codes of {@link TufRepositoryError}. */
export type TufRepositoryErrorCode = 'TUF_REPOSITORY_KEYS' | 'TUF_REPOSITORY_DAMAGED' | 'TUF_REPOSITORY_EMPTY'

/** A repository whose keys or files do not belong together. */
export class TufRepositoryError extends CodedError<TufRepositoryErrorCode> {
  override readonly name = 'TufRepositoryError'
}
