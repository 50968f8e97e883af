/** Why a statement was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link InTotoError}. */
export type InTotoErrorCode = 'IN_TOTO_MALFORMED' | 'IN_TOTO_TYPE' | 'IN_TOTO_PREDICATE_TYPE' | 'IN_TOTO_PREDICATE'

/** Something that is not an in-toto statement, or cannot become one. */
export class InTotoError extends CodedError<InTotoErrorCode> {
  override readonly name = 'InTotoError'
}
