/** Why a DSSE envelope was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link DsseError}. */
export type DsseErrorCode = 'DSSE_MALFORMED' | 'DSSE_UNSIGNED'

/** Something that is not a DSSE envelope. */
export class DsseError extends CodedError<DsseErrorCode> {
  override readonly name = 'DsseError'
}
