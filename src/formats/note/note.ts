/** C2SP signed notes: text, and lines that sign it. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { concatBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { NoteError } from './note-error.js'

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

/** Bytes of a key id. */
export const KEY_ID_SIZE = 4

// The specification asks for room for 16 signatures; Go's reader stops at 100 and so do we.
const MAX_SIGNATURES = 100
const MAX_LENGTH = 1_000_000
const LINE_START = '— '

const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

/** C0 controls but newline are forbidden, and so is text that is not UTF-8 (here: a lone surrogate). */
function isForbidden(text: string): boolean {
  return CONTROL.test(text) || !text.isWellFormed()
}

/**
 * Takes a signed note apart. Nothing is verified.
 * @throws NoteError `NOTE_MALFORMED`
 */
export function parseNote(source: string): Note {
  if (source.length > MAX_LENGTH) throw malformed('the note is too long')
  if (isForbidden(source)) throw malformed('the note has control characters')
  // The text may have empty lines itself: the last one is the separator.
  const separator = source.lastIndexOf('\n\n')
  if (separator < 0) throw malformed('no blank line stands between text and signatures')
  const block = source.slice(separator + 2)
  if (!block.endsWith('\n')) throw malformed('the note does not end in a signature line')
  const lines = block.slice(0, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw malformed('the note has too many signatures')
  return { text: source.slice(0, separator + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Joins text and signatures to a note.
 * @throws NoteError `NOTE_MALFORMED` when the text cannot stand in a note, `NOTE_NAME` for a name that cannot
 */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!text.endsWith('\n') || isForbidden(text))
    throw malformed('the text does not end in a newline, or has control characters')
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`
}

/** A single signature line, newline included: what a witness answers with. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  checkKeyName(name)
  return `${LINE_START}${name} ${encodeBase64(concatBytes(keyId, signature))}\n`
}

/**
 * Key names are not empty and have neither spaces nor plus signs.
 * @throws NoteError `NOTE_NAME`
 */
export function checkKeyName(name: string): void {
  if (name !== '' && !/[\s\u0085+]/.test(name) && !isForbidden(name)) return
  throw new NoteError('NOTE_NAME', 'not a name for a note key', {
    expected: 'a name without spaces and plus signs, such as log.example.com/2025',
    found: name.slice(0, 100),
  })
}

/** @throws NoteError `NOTE_MALFORMED` */
export function parseSignatureLine(line: string): NoteSignature {
  const [name, text, ...rest] = line.slice(LINE_START.length).split(' ')
  if (!line.startsWith(LINE_START) || name === undefined || text === undefined || rest.length > 0) {
    throw malformed('a signature line does not have the form "— name base64"', line)
  }
  try {
    checkKeyName(name)
    const bytes = decodeBase64(text)
    if (bytes.length <= KEY_ID_SIZE) throw malformed('a signature line holds no signature', line)
    return { name, keyId: bytes.subarray(0, KEY_ID_SIZE), signature: bytes.subarray(KEY_ID_SIZE) }
  } catch (cause) {
    if (!isCodedError(cause) || cause.code === 'NOTE_MALFORMED') throw cause
    throw malformed('a signature line has a wrong name, or a signature that is not base64', line)
  }
}

function malformed(message: string, line?: string): NoteError {
  return new NoteError('NOTE_MALFORMED', message, {
    expected: 'a signed note (C2SP signed-note)',
    found: line?.slice(0, 100),
  })
}
