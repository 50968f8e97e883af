/** Keys in TUF metadata: ECDSA, Ed25519 and RSA-PSS. @module */
import type { Algorithm } from '#crypto/algorithms'
import { ALGORITHMS } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey, publicKeyFromPem, publicKeyToPem } from '#crypto/public-key'
import { concatBytes } from '#encoding/bytes'
import { decodeHex, encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { canonicalTufJson } from './canonical-json.js'
import type { TufKey } from './model.js'
import { TufError } from './tuf-error.js'

/** DER of an Ed25519 SubjectPublicKeyInfo up to the key itself (RFC 8410 §4). */
const ED25519_SPKI_PREFIX: Uint8Array = decodeHex('302a300506032b6570032100')

interface Scheme {
  readonly keyTypes: readonly string[]
  readonly read: (text: string) => PublicKey
  readonly algorithm: (key: PublicKey) => Algorithm | undefined
}

const ECDSA_KEY_TYPES = ['ecdsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384']

const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [
    'ecdsa-sha2-nistp256',
    { keyTypes: ECDSA_KEY_TYPES, read: publicKeyFromPem, algorithm: () => ALGORITHMS['ecdsa-sha2-256-nistp256'] },
  ],
  [
    'ecdsa-sha2-nistp384',
    { keyTypes: ECDSA_KEY_TYPES, read: publicKeyFromPem, algorithm: () => ALGORITHMS['ecdsa-sha2-384-nistp384'] },
  ],
  ['ed25519', { keyTypes: ['ed25519'], read: readEd25519, algorithm: () => ALGORITHMS.ed25519 }],
  [
    'rsassa-pss-sha256',
    { keyTypes: ['rsa'], read: publicKeyFromPem, algorithm: (key) => RSA_PSS.get(key.keyBits ?? 0) },
  ],
])

const RSA_PSS: ReadonlyMap<number, Algorithm> = new Map([
  [2048, ALGORITHMS['rsa-sign-pss-2048-sha256']],
  [3072, ALGORITHMS['rsa-sign-pss-3072-sha256']],
  [4096, ALGORITHMS['rsa-sign-pss-4096-sha256']],
])

/** Reads a key; undefined for a type, scheme or encoding that is not supported, since such a key just cannot sign. */
export function parseTufKey(value: JsonValue): TufKey | undefined {
  if (!isJsonObject(value) || !isJsonObject(value['keyval'])) return undefined
  const { keytype, scheme: schemeName, keyval } = value
  const scheme = typeof schemeName === 'string' ? SCHEMES.get(schemeName) : undefined
  const text = keyval['public']
  if (scheme === undefined || typeof keytype !== 'string' || typeof text !== 'string') return undefined
  if (!scheme.keyTypes.includes(keytype)) return undefined
  return readKey(scheme, text)
}

function readKey(scheme: Scheme, text: string): TufKey | undefined {
  try {
    const key = scheme.read(text)
    const algorithm = scheme.algorithm(key)
    return algorithm?.keyType === key.keyType ? { key, algorithm } : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function readEd25519(hex: string): PublicKey {
  return parsePublicKey(concatBytes(ED25519_SPKI_PREFIX, decodeHex(hex)))
}

/**
 * A key as metadata states it, ECDSA P-256 or Ed25519, in the form that every client reads.
 * @throws TufError `TUF_ROLE` for other keys
 */
export function tufKeyToJson(key: PublicKey): JsonObject {
  if (key.keyType === 'ec-p256') {
    return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: publicKeyToPem(key) } }
  }
  if (key.keyType === 'ed25519')
    return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: encodeHex(key.raw) } }
  throw new TufError('TUF_ROLE', 'keys of this type are not used to sign metadata', {
    expected: 'an ECDSA P-256 or Ed25519 key',
    found: key.keyType,
  })
}

/** The id of a key: SHA-256 of the canonical form of its statement (§4.2). */
export function tufKeyId(key: PublicKey): string {
  return encodeHex(sha256(canonicalTufJson(tufKeyToJson(key))))
}
