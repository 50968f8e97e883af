/** C2SP tlog checkpoints: origin, size and root hash of a log, as the text of a signed note. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isCodedError } from '#errors'
import { HASH_SIZE } from '../merkle/hash.js'
import type { Note } from '../note/note.js'
import { parseNote } from '../note/note.js'
import { CheckpointError } from './checkpoint-error.js'

/** What a checkpoint says. */
export interface Checkpoint {
  readonly origin: string
  readonly size: bigint
  readonly rootHash: Uint8Array
  /** Extension lines, as they stand. */
  readonly extensions: readonly string[]
}

/** A checkpoint with the note it came in, whose signatures are unverified. */
export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly note: Note
}

const MAX_SIZE = 2n ** 64n

/**
 * Reads the text of a checkpoint (without signatures).
 * @throws CheckpointError `CHECKPOINT_MALFORMED`
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw malformed('the text does not end in a newline')
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n')
  if (origin === undefined || origin === '') throw malformed('the origin line is missing')
  if (size === undefined || !/^(?:0|[1-9]\d{0,19})$/.test(size))
    throw malformed('the tree size is not a decimal number', size)
  if (BigInt(size) >= MAX_SIZE) throw malformed('the tree size is too large', size)
  if (root === undefined) throw malformed('the root hash is missing')
  if (extensions.includes('')) throw malformed('an extension line is empty')
  return { origin, size: BigInt(size), rootHash: parseRoot(root), extensions }
}

/**
 * Reads a checkpoint with its signatures. Nothing is verified.
 * @throws CheckpointError `CHECKPOINT_MALFORMED`, NoteError `NOTE_MALFORMED`
 */
export function parseSignedCheckpoint(source: string): SignedCheckpoint {
  const note = parseNote(source)
  return { checkpoint: parseCheckpoint(note.text), note }
}

/**
 * The text of a checkpoint, to be signed as a note.
 * @throws CheckpointError `CHECKPOINT_MALFORMED` when the values cannot stand in one
 */
export function formatCheckpoint({ origin, size, rootHash, extensions }: Checkpoint): string {
  const text = [origin, String(size), encodeBase64(rootHash), ...extensions, ''].join('\n')
  parseCheckpoint(text)
  return text
}

function parseRoot(text: string): Uint8Array {
  try {
    const root = decodeBase64(text)
    if (root.length === HASH_SIZE) return root
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw malformed('the root hash is not base64 of 32 bytes', text)
}

function malformed(message: string, found?: string): CheckpointError {
  return new CheckpointError('CHECKPOINT_MALFORMED', message, {
    expected: 'origin, tree size and root hash on three lines (C2SP tlog-checkpoint)',
    found: found?.slice(0, 100),
  })
}
