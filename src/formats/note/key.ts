/** Keys of signed notes: their ids, and how they are written down (vkeys). @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { concatBytes } from '#encoding/bytes'
import { decodeHex, encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { sha256 } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import { KEY_ID_SIZE, checkKeyName } from './note.js'
import { NoteError } from './note-error.js'

/** Signature type bytes of C2SP signed-note. */
export const NOTE_KEY_TYPES = {
  ed25519: 0x01,
  ecdsa: 0x02,
  /** Timestamped Ed25519 cosignature of a witness. */
  cosignature: 0x04,
  /** RFC 6962 TreeHeadSignature (static-ct-api). */
  treeHead: 0x05,
  other: 0xff,
} as const

/**
 * How a log's key id comes about: `note` is C2SP's rule (and Rekor v2's), `rekor-v1` hashes the SubjectPublicKeyInfo
 * for every kind of key, so the two differ for Ed25519 and RSA.
 */
export type KeyIdRule = 'note' | 'rekor-v1'

/** The name that Rekor v2 gives to its RSA signatures, which have no type byte of their own. */
const RSA_TYPE = 'PKIX-RSA-PKCS#1v1.5'

/** DER of an Ed25519 SubjectPublicKeyInfo up to the 32 bytes of the key (RFC 8410 §4). */
const ED25519_SPKI_PREFIX: Uint8Array = decodeHex('302a300506032b6570032100')
const ED25519_KEY_SIZE = 32

/** `SHA-256(name ‖ "\n" ‖ type ‖ key)`, whole; its first four bytes are the key id. */
export function noteKeyHash(name: string, type: Uint8Array, key: Uint8Array): Uint8Array {
  checkKeyName(name)
  return sha256(concatBytes(encodeUtf8(`${name}\n`), type, key))
}

/**
 * The identity of a log's key: 32 bytes. Rekor v2 shows all of them as `logId`, signed notes carry the first four.
 * @throws NoteError `NOTE_KEY_UNSUPPORTED` for a kind of key that has no rule
 */
export function logKeyHash({ name, key, rule }: { name: string; key: PublicKey; rule: KeyIdRule }): Uint8Array {
  if (rule === 'rekor-v1' || isEcdsa(key)) return sha256(key.spki)
  const raw = rawEd25519(key)
  if (raw !== undefined) return noteKeyHash(name, Uint8Array.of(NOTE_KEY_TYPES.ed25519), raw)
  if (key.keyType === 'rsa') {
    return noteKeyHash(name, concatBytes(Uint8Array.of(NOTE_KEY_TYPES.other), encodeUtf8(RSA_TYPE)), key.spki)
  }
  throw new NoteError('NOTE_KEY_UNSUPPORTED', 'keys of this type cannot sign notes', {
    expected: 'an ECDSA, Ed25519 or RSA key',
    found: key.keyType,
  })
}

/** The four bytes that stand in a signature line. */
export function keyIdOf(hash: Uint8Array): Uint8Array {
  return hash.slice(0, KEY_ID_SIZE)
}

/** The 32 bytes of an Ed25519 key, or undefined for any other key. */
export function rawEd25519(key: PublicKey): Uint8Array | undefined {
  return key.keyType === 'ed25519' ? key.raw : undefined
}

/** A key for notes, as a verifier is told it (a "vkey"). */
export interface VerifierKey {
  readonly name: string
  readonly keyId: Uint8Array
  readonly type: typeof NOTE_KEY_TYPES.ed25519 | typeof NOTE_KEY_TYPES.ecdsa | typeof NOTE_KEY_TYPES.cosignature
  readonly key: PublicKey
}

/** Reads `name+hex key id+base64(type ‖ key)`. @throws NoteError `NOTE_KEY`, `NOTE_KEY_UNSUPPORTED` */
export function parseVerifierKey(text: string): VerifierKey {
  // Base64 has plus signs too, so only the first two split.
  const [, name, id, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? []
  if (name === undefined || id === undefined || encoded === undefined) throw malformedKey(text)
  try {
    checkKeyName(name)
    const bytes = decodeBase64(encoded)
    const verifierKey = buildVerifierKey(name, bytes)
    if (encodeHex(verifierKey.keyId) !== id) {
      throw new NoteError('NOTE_KEY', 'the key id of the verifier key does not follow from its key', {
        expected: encodeHex(verifierKey.keyId),
        found: id,
      })
    }
    return verifierKey
  } catch (cause) {
    if (cause instanceof NoteError || !isCodedError(cause)) throw cause
    throw malformedKey(text, cause)
  }
}

function buildVerifierKey(name: string, bytes: Uint8Array): VerifierKey {
  const [type, material] = [bytes[0], bytes.subarray(1)]
  if (type === NOTE_KEY_TYPES.ecdsa) {
    const key = parsePublicKey(material)
    if (!isEcdsa(key)) throw malformedKey(name)
    return { name, type, key, keyId: keyIdOf(sha256(key.spki)) }
  }
  if (type !== NOTE_KEY_TYPES.ed25519 && type !== NOTE_KEY_TYPES.cosignature) {
    throw new NoteError('NOTE_KEY_UNSUPPORTED', 'the verifier key has a signature type that is not supported', {
      expected: 'type 1 (Ed25519), 2 (ECDSA) or 4 (Ed25519 cosignature)',
      found: String(type),
    })
  }
  if (material.length !== ED25519_KEY_SIZE) throw malformedKey(name)
  const key = parsePublicKey(concatBytes(ED25519_SPKI_PREFIX, material))
  return { name, type, key, keyId: keyIdOf(noteKeyHash(name, Uint8Array.of(type), material)) }
}

/** Writes a verifier key. @throws NoteError `NOTE_KEY` when the key does not fit to the type */
export function formatVerifierKey(name: string, type: VerifierKey['type'], key: PublicKey): string {
  const material = type === NOTE_KEY_TYPES.ecdsa ? key.spki : rawEd25519(key)
  if (material === undefined) throw malformedKey(name)
  const bytes = concatBytes(Uint8Array.of(type), material)
  return `${name}+${encodeHex(buildVerifierKey(name, bytes).keyId)}+${encodeBase64(bytes)}`
}

function malformedKey(text: string, cause?: unknown): NoteError {
  return new NoteError('NOTE_KEY', 'not a verifier key', {
    expected: '<name>+<8 hex digits>+<base64> (C2SP signed-note, "Verifier keys")',
    found: text.slice(0, 200),
    cause,
  })
}

function isEcdsa(key: PublicKey): boolean {
  return key.keyType === 'ec-p256' || key.keyType === 'ec-p384' || key.keyType === 'ec-p521'
}
