/** Why a simple-signing payload was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link SimpleSigningError}. */
export type SimpleSigningErrorCode = 'SIMPLE_SIGNING_MALFORMED' | 'SIMPLE_SIGNING_TYPE'

/** A payload that does not claim what a signature on an image claims. */
export class SimpleSigningError extends CodedError<SimpleSigningErrorCode> {
  override readonly name = 'SimpleSigningError'
}
