/** Signing notes. @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { PrivateKey } from '#crypto/private-key'
import type { KeyIdRule } from './key.js'
import { keyIdOf, logKeyHash } from './key.js'
import type { NoteSignature } from './note.js'
import { checkKeyName, formatNote } from './note.js'

/** A key that signs notes under a name. */
export interface NoteSigner {
  readonly name: string
  readonly keyId: Uint8Array
  sign(text: Uint8Array): Promise<Uint8Array>
}

/** A signer with a log's key. */
export function noteSignerForKey({ name, key, rule }: { name: string; key: PrivateKey; rule: KeyIdRule }): NoteSigner {
  checkKeyName(name)
  return {
    name,
    keyId: keyIdOf(logKeyHash({ name, key: key.publicKey, rule })),
    sign: (text) => key.sign(text),
  }
}

/** Signs a text with every signer, in their order. @throws NoteError `NOTE_MALFORMED` for a text that cannot be a note's */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  const bytes = encodeUtf8(text)
  const signatures = await Promise.all(
    signers.map(async (signer): Promise<NoteSignature> => ({
      name: signer.name,
      keyId: signer.keyId,
      signature: await signer.sign(bytes),
    })),
  )
  return formatNote(text, signatures)
}
