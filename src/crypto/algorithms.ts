/**
 * Every signature algorithm that Sigstore knows, in one table.
 * Source: sigstore/architecture-docs algorithm-registry.md, protobuf-specs PublicKeyDetails.
 * @module
 */
import type { DigestName } from './digest.js'
import { KeyError } from './key-error.js'

/** What kind of key a public key is. */
export type KeyType =
  'ec-p256' | 'ec-p384' | 'ec-p521' | 'rsa' | 'rsa-pss' | 'ed25519' | 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87'

export type SignatureFamily = 'ecdsa' | 'rsa-pkcs1' | 'rsa-pss' | 'ed25519' | 'ed25519-ph' | 'ml-dsa'

/** How a signature is made, whatever the size of the key: what X.509 and CMS name. */
export interface SignatureScheme {
  readonly family: SignatureFamily
  /** What the message is hashed with first; undefined where the scheme takes the message itself. */
  readonly digest: DigestName | undefined
}

/** One line of the registry: a scheme with the only key it may be used with. */
export interface Algorithm extends SignatureScheme {
  readonly name: AlgorithmName
  /** The name in protobuf-specs' PublicKeyDetails. */
  readonly keyDetails: string
  /** The number in protobuf-specs' PublicKeyDetails. */
  readonly keyDetailsNumber: number
  readonly keyType: KeyType
  /** Modulus length of RSA keys. */
  readonly keyBits?: number
  /** Verified in old material, never used to sign. */
  readonly verifyOnly?: true
}

type Row = Omit<Algorithm, 'name'>

/** The registry's name of an algorithm. */
export type AlgorithmName =
  | 'ecdsa-sha2-256-nistp256'
  | 'ecdsa-sha2-384-nistp384'
  | 'ecdsa-sha2-512-nistp521'
  | 'ecdsa-sha2-256-nistp384'
  | 'ecdsa-sha2-256-nistp521'
  | 'rsa-sign-pkcs1-2048-sha256'
  | 'rsa-sign-pkcs1-3072-sha256'
  | 'rsa-sign-pkcs1-4096-sha256'
  | 'rsa-sign-pss-2048-sha256'
  | 'rsa-sign-pss-3072-sha256'
  | 'rsa-sign-pss-4096-sha256'
  | 'ed25519'
  | 'ed25519-ph'
  | 'ml-dsa-44'
  | 'ml-dsa-65'
  | 'ml-dsa-87'

const ROWS: Readonly<Record<AlgorithmName, Row>> = {
  'ecdsa-sha2-256-nistp256': ecdsa('PKIX_ECDSA_P256_SHA_256', 5, { keyType: 'ec-p256', digest: 'sha256' }),
  'ecdsa-sha2-384-nistp384': ecdsa('PKIX_ECDSA_P384_SHA_384', 12, { keyType: 'ec-p384', digest: 'sha384' }),
  'ecdsa-sha2-512-nistp521': ecdsa('PKIX_ECDSA_P521_SHA_512', 13, { keyType: 'ec-p521', digest: 'sha512' }),
  'ecdsa-sha2-256-nistp384': {
    ...ecdsa('PKIX_ECDSA_P384_SHA_256', 19, { keyType: 'ec-p384', digest: 'sha256' }),
    verifyOnly: true,
  },
  'ecdsa-sha2-256-nistp521': {
    ...ecdsa('PKIX_ECDSA_P521_SHA_256', 20, { keyType: 'ec-p521', digest: 'sha256' }),
    verifyOnly: true,
  },
  'rsa-sign-pkcs1-2048-sha256': { ...rsa('PKIX_RSA_PKCS1V15_2048_SHA256', 9, 2048), family: 'rsa-pkcs1' },
  'rsa-sign-pkcs1-3072-sha256': { ...rsa('PKIX_RSA_PKCS1V15_3072_SHA256', 10, 3072), family: 'rsa-pkcs1' },
  'rsa-sign-pkcs1-4096-sha256': { ...rsa('PKIX_RSA_PKCS1V15_4096_SHA256', 11, 4096), family: 'rsa-pkcs1' },
  'rsa-sign-pss-2048-sha256': { ...rsa('PKIX_RSA_PSS_2048_SHA256', 16, 2048), family: 'rsa-pss' },
  'rsa-sign-pss-3072-sha256': { ...rsa('PKIX_RSA_PSS_3072_SHA256', 17, 3072), family: 'rsa-pss' },
  'rsa-sign-pss-4096-sha256': { ...rsa('PKIX_RSA_PSS_4096_SHA256', 18, 4096), family: 'rsa-pss' },
  ed25519: whole('PKIX_ED25519', 7, { keyType: 'ed25519', family: 'ed25519' }),
  'ed25519-ph': { ...whole('PKIX_ED25519_PH', 8, { keyType: 'ed25519', family: 'ed25519-ph' }), digest: 'sha512' },
  'ml-dsa-44': whole('ML_DSA_44', 23, { keyType: 'ml-dsa-44', family: 'ml-dsa' }),
  'ml-dsa-65': whole('ML_DSA_65', 21, { keyType: 'ml-dsa-65', family: 'ml-dsa' }),
  'ml-dsa-87': whole('ML_DSA_87', 22, { keyType: 'ml-dsa-87', family: 'ml-dsa' }),
}

/** The registry, in its own order. */
export const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = Object.fromEntries(
  Object.entries(ROWS).map(([name, row]) => [name, { name, ...row }]),
) as Readonly<Record<AlgorithmName, Algorithm>>

const BY_KEY_DETAILS = new Map<string, Algorithm>(Object.values(ALGORITHMS).map((row) => [row.keyDetails, row]))

/** PublicKeyDetails names to numbers, deprecated and unsupported ones included, for readers of protobuf JSON. */
export const KEY_DETAILS_NUMBERS: Readonly<Record<string, number>> = Object.freeze({
  PUBLIC_KEY_DETAILS_UNSPECIFIED: 0,
  PKCS1_RSA_PKCS1V5: 1,
  PKCS1_RSA_PSS: 2,
  PKIX_RSA_PKCS1V5: 3,
  PKIX_RSA_PSS: 4,
  PKIX_ECDSA_P256_HMAC_SHA_256: 6,
  LMS_SHA256: 14,
  LMOTS_SHA256: 15,
  ...Object.fromEntries(Object.values(ALGORITHMS).map((row) => [row.keyDetails, row.keyDetailsNumber])),
})

/** The algorithm of a PublicKeyDetails name, if it is a supported one. */
export function algorithmByKeyDetails(keyDetails: string): Algorithm | undefined {
  return BY_KEY_DETAILS.get(keyDetails)
}

/** @throws {@link KeyError} ALGORITHM_UNKNOWN if the registry has no such name. */
export function algorithmByName(name: string): Algorithm {
  if (isAlgorithmName(name)) return ALGORITHMS[name]
  throw new KeyError('ALGORITHM_UNKNOWN', 'no such signature algorithm', {
    expected: `one of ${Object.keys(ALGORITHMS).join(', ')}`,
    found: name.slice(0, 60),
  })
}

export function isAlgorithmName(name: string): name is AlgorithmName {
  return Object.hasOwn(ROWS, name)
}

/** The algorithm that a key is used with when nothing says otherwise: matching digest, PKCS #1 v1.5, pure Ed25519. */
export function defaultAlgorithm(key: { readonly keyType: KeyType; readonly keyBits?: number | undefined }): Algorithm {
  const rows = Object.values(ALGORITHMS).filter((row) => row.keyType === key.keyType && row.verifyOnly === undefined)
  const found = rows.find((row) => row.keyBits === undefined || row.keyBits === key.keyBits)
  if (found !== undefined) return found
  throw new KeyError('KEY_UNSUPPORTED', 'no registered algorithm takes this key', {
    expected: 'ECDSA P-256/384/521, RSA of 2048, 3072 or 4096 bits, Ed25519, or ML-DSA',
    found: `${key.keyType}${key.keyBits === undefined ? '' : ` of ${String(key.keyBits)} bits`}`,
  })
}

function ecdsa(keyDetails: string, keyDetailsNumber: number, key: { keyType: KeyType; digest: DigestName }): Row {
  return { keyDetails, keyDetailsNumber, family: 'ecdsa', ...key }
}

function rsa(keyDetails: string, keyDetailsNumber: number, keyBits: number): Omit<Row, 'family'> {
  return { keyDetails, keyDetailsNumber, keyType: 'rsa', keyBits, digest: 'sha256' }
}

function whole(keyDetails: string, keyDetailsNumber: number, key: { keyType: KeyType; family: SignatureFamily }): Row {
  return { keyDetails, keyDetailsNumber, digest: undefined, ...key }
}
