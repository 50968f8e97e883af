/** Checking the signatures of a note against the keys one knows. @module */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { Algorithm } from '#crypto/algorithms'
import { defaultAlgorithm } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import type { KeyIdRule } from './key.js'
import { keyIdOf, logKeyHash } from './key.js'
import type { Note, NoteSignature } from './note.js'
import { NoteError } from './note-error.js'

/** A key that may sign notes, under a name. */
export interface NoteVerifier {
  /** The name that must stand in the signature line; undefined takes any (Rekor v1 never bound the name). */
  readonly name: string | undefined
  readonly keyId: Uint8Array
  /** Whether the signature (without key id) is good for the note's text. */
  verify(text: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** A signature line that was checked, and the verifier that did. */
export interface VerifiedNoteSignature {
  readonly verifier: NoteVerifier
  readonly signature: NoteSignature
}

/** A verifier for a log's key. `algorithm` defaults to the key's usual one. */
export function noteVerifierForKey(source: {
  readonly name: string
  readonly key: PublicKey
  readonly rule: KeyIdRule
  readonly algorithm?: Algorithm | undefined
}): NoteVerifier {
  const { name, key, rule, algorithm = defaultAlgorithm(key) } = source
  return {
    name: rule === 'rekor-v1' ? undefined : name,
    keyId: keyIdOf(logKeyHash({ name, key, rule })),
    verify: (text, signature) => verifySignature({ key, scheme: algorithm, signature }, text),
  }
}

/**
 * Checks every signature of a known key; lines of unknown keys are ignored, as they must be.
 * One bad line of a known key spoils the note, and so does the absence of any known one. A repeated line counts once.
 * @returns the good signatures, at least one, each verifier at most once
 * @throws NoteError `NOTE_SIGNATURE`, `NOTE_UNSIGNED`
 */
export async function verifyNote(
  note: Note,
  verifiers: readonly NoteVerifier[],
): Promise<readonly VerifiedNoteSignature[]> {
  const text = encodeUtf8(note.text)
  const verified = new Map<NoteVerifier, VerifiedNoteSignature>()
  for (const signature of note.signatures) {
    const verifier = verifiers.find((candidate) => isBy(signature, candidate))
    if (verifier === undefined || verified.has(verifier)) continue
    if (!(await verifier.verify(text, signature.signature))) {
      throw new NoteError('NOTE_SIGNATURE', 'a signature of the note is wrong', {
        expected: `a signature by the key that is known as ${describe(signature)}`,
      })
    }
    verified.set(verifier, { verifier, signature })
  }
  if (verified.size > 0) return [...verified.values()]
  throw new NoteError('NOTE_UNSIGNED', 'the note is not signed by any known key', {
    expected: verifiers.map((verifier) => describe(verifier)).join(', ') || 'no key is known',
    found: note.signatures
      .map((signature) => describe(signature))
      .join(', ')
      .slice(0, 300),
  })
}

function isBy(signature: NoteSignature, verifier: NoteVerifier): boolean {
  const named = verifier.name === undefined || verifier.name === signature.name
  return named && equalBytes(signature.keyId, verifier.keyId)
}

function describe({ name, keyId }: { readonly name: string | undefined; readonly keyId: Uint8Array }): string {
  return `${name ?? '(any name)'}+${encodeHex(keyId)}`
}
