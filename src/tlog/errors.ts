/** What can go wrong in a log. @module */
import { CodedError } from '#errors'

export type TlogErrorCode =
  | 'TLOG_LOCKED'
  | 'TLOG_CLOSED'
  | 'TLOG_FAILED'
  | 'TLOG_UNCERTAIN'
  | 'TLOG_OVERLOADED'
  | 'TLOG_CONFLICT'
  | 'TLOG_ENTRY_SIZE'
  | 'TLOG_RANGE'
  | 'TLOG_STORAGE'
  | 'TLOG_WAL_CORRUPT'
  | 'TLOG_TILE_MISSING'
  | 'TLOG_TILE_CORRUPT'
  | 'TLOG_ROOT_MISMATCH'
  | 'TLOG_ROLLED_BACK'
  | 'TLOG_FORK'
  | 'TLOG_CHECKPOINT_FOREIGN'

/** A log could not do what it was asked to, or found that its storage no longer says what it said. */
export class TlogError extends CodedError<TlogErrorCode> {
  override readonly name = 'TlogError'
}
