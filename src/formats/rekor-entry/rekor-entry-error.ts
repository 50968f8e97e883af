/** Why a log entry was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link RekorEntryError}. */
export type RekorEntryErrorCode =
  'REKOR_ENTRY_MALFORMED' | 'REKOR_ENTRY_KIND' | 'REKOR_ENTRY_DIGEST' | 'REKOR_ENTRY_VERIFIER' | 'REKOR_ENTRY_ID'

/** A log entry that cannot be understood. */
export class RekorEntryError extends CodedError<RekorEntryErrorCode> {
  override readonly name = 'RekorEntryError'
}
