/** Why TUF metadata was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link TufError}. */
export type TufErrorCode =
  | 'TUF_MALFORMED'
  | 'TUF_CANONICAL'
  | 'TUF_ROLE'
  | 'TUF_SIGNATURES'
  | 'TUF_VERSION'
  | 'TUF_EXPIRED'
  | 'TUF_LENGTH'
  | 'TUF_HASH'
  | 'TUF_TARGET'

/** Metadata or a target that The Update Framework does not let pass. */
export class TufError extends CodedError<TufErrorCode> {
  override readonly name = 'TufError'
}
