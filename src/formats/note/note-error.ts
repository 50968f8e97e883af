/** Why a signed note was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link NoteError}. */
export type NoteErrorCode =
  'NOTE_MALFORMED' | 'NOTE_NAME' | 'NOTE_KEY' | 'NOTE_KEY_UNSUPPORTED' | 'NOTE_SIGNATURE' | 'NOTE_UNSIGNED'

/** A note, or a key for notes, that cannot be used. */
export class NoteError extends CodedError<NoteErrorCode> {
  override readonly name = 'NoteError'
}
