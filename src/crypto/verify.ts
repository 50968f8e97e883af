/** Checking signatures over messages and over digests of messages. @module */
import { constants, publicDecrypt, verify } from 'node:crypto'
import { concatBytes, equalBytes } from '#encoding/bytes'
import { derNull, derOctetString, derOid, derSequence } from '#encoding/der-writer'
import type { Algorithm, KeyType, SignatureFamily, SignatureScheme } from './algorithms.js'
import type { DigestName } from './digest.js'
import { DIGEST_SIZES, digest as digestOf } from './digest.js'
import { isEcdsaDigestSignature, isOnCurve } from './ecdsa-digest.js'
import { verifyEd25519ph } from './ed25519-ph.js'
import { KeyError } from './key-error.js'
import { verifyMlDsa } from './ml-dsa.js'
import type { PublicKey } from './public-key.js'
import { keyObjectOf } from './public-key.js'

/** Which keys a family of schemes takes. */
const FAMILY_KEYS = {
  ecdsa: ['ec-p256', 'ec-p384', 'ec-p521'],
  'rsa-pkcs1': ['rsa'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ed25519: ['ed25519'],
  'ed25519-ph': ['ed25519'],
  'ml-dsa': ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
} as const satisfies Readonly<Record<SignatureFamily, readonly KeyType[]>>

/** Arguments of {@link verifySignature}. */
export interface SignatureCheck {
  readonly key: PublicKey
  /** A registry algorithm, which also fixes the key's type and size, or a bare scheme as X.509 and CMS name it. */
  readonly scheme: SignatureScheme | Algorithm
  readonly signature: Uint8Array
}

/**
 * Whether a signature is right for a message. A malformed signature is a wrong one.
 * @throws {@link KeyError} KEY_ALGORITHM_MISMATCH if the scheme does not take such a key, KEY_MALFORMED for a key that is no key.
 */
export async function verifySignature(check: SignatureCheck, message: Uint8Array): Promise<boolean> {
  requireFit(check.scheme, check.key)
  const { key, scheme, signature } = check
  switch (scheme.family) {
    case 'ecdsa':
    case 'rsa-pkcs1':
    case 'ed25519':
      return verify(scheme.digest ?? null, message, keyObjectOf(key), signature)
    case 'rsa-pss': {
      const saltLength = DIGEST_SIZES[scheme.digest ?? 'sha256']
      return verify(
        scheme.digest,
        message,
        { key: keyObjectOf(key), padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
        signature,
      )
    }
    case 'ed25519-ph':
      return await verifyEd25519ph(key.raw, signature, digestOf('sha512', message))
    case 'ml-dsa':
      return await verifyMlDsa(key, signature, message)
  }
}

/**
 * Whether a signature is right for a message of which only the digest is at hand.
 * @throws {@link KeyError} KEY_DIGEST_UNSUPPORTED for schemes that sign the message itself (pure Ed25519, ML-DSA) and for RSA-PSS,
 *   KEY_DIGEST_SIZE if the digest is not one of the scheme's.
 */
export async function verifyDigestSignature(check: SignatureCheck, digest: Uint8Array): Promise<boolean> {
  requireFit(check.scheme, check.key)
  const { key, scheme, signature } = check
  if (scheme.digest !== undefined && digest.length !== DIGEST_SIZES[scheme.digest]) {
    throw new KeyError('KEY_DIGEST_SIZE', 'a digest of another size than the algorithm uses', {
      expected: `${scheme.digest}, ${String(DIGEST_SIZES[scheme.digest])} bytes`,
      found: `${String(digest.length)} bytes`,
    })
  }
  if (scheme.family === 'ecdsa') {
    if (!isOnCurve(key)) throw new KeyError('KEY_MALFORMED', 'the point of the key is not on its curve')
    return isEcdsaDigestSignature(key, signature, digest)
  }
  if (scheme.family === 'ed25519-ph') return await verifyEd25519ph(key.raw, signature, digest)
  if (scheme.family === 'rsa-pkcs1' && scheme.digest !== undefined) return verifyRsaDigest(check, scheme.digest, digest)
  throw new KeyError('KEY_DIGEST_UNSUPPORTED', 'this algorithm cannot be verified from a digest', {
    expected: 'ECDSA, RSA PKCS #1 v1.5 or Ed25519ph',
    found: scheme.family,
    hint: 'give the artifact itself instead of its digest',
  })
}

/** @throws {@link KeyError} KEY_ALGORITHM_MISMATCH unless the key is one that the scheme takes. */
export function requireFit(scheme: SignatureScheme | Algorithm, key: PublicKey): void {
  const types: readonly KeyType[] = 'keyType' in scheme ? [scheme.keyType] : FAMILY_KEYS[scheme.family]
  const bits = 'keyBits' in scheme ? scheme.keyBits : undefined
  if (types.includes(key.keyType) && (bits === undefined || bits === key.keyBits)) return
  throw new KeyError('KEY_ALGORITHM_MISMATCH', 'the key does not fit the signature algorithm', {
    expected: `${types.join(' or ')}${bits === undefined ? '' : ` of ${String(bits)} bits`}`,
    found: `${key.keyType}${key.keyBits === undefined ? '' : ` of ${String(key.keyBits)} bits`}`,
  })
}

const DIGEST_OIDS = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const satisfies Readonly<Record<DigestName, string>>

function verifyRsaDigest(check: SignatureCheck, name: DigestName, digest: Uint8Array): boolean {
  const size = Math.ceil((check.key.keyBits ?? 0) / 8)
  if (check.signature.length !== size) return false
  const info = derSequence(derSequence(derOid(DIGEST_OIDS[name]), derNull()), derOctetString(digest))
  // EMSA-PKCS1-v1_5 (RFC 8017 §9.2) has one right value, so it is built and compared, never parsed (Bleichenbacher 2006).
  const expected = concatBytes(
    Uint8Array.of(0, 1),
    new Uint8Array(size - info.length - 3).fill(0xff),
    Uint8Array.of(0),
    info,
  )
  try {
    return equalBytes(
      publicDecrypt({ key: keyObjectOf(check.key), padding: constants.RSA_NO_PADDING }, check.signature),
      expected,
    )
  } catch {
    return false // the signature is a number above the modulus
  }
}
