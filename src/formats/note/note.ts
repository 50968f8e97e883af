/** C2SP signed notes: text, and lines that sign it. @module */

/** One signature line, undecided whether it is good. */
export interface NoteSignature {
  readonly name: string
  /** The first four bytes, which select the key. */
  readonly keyId: Uint8Array
  /** What follows the key id. */
  readonly signature: Uint8Array
}

/** A note taken apart. */
export interface Note {
  /** What is signed: ends in a newline, without the blank separator line. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}
