/** What the stand-ins for key management services keep. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import { generatePrivateKey, type PrivateKey } from '#crypto/private-key'
import { derOfPair, signDigest } from './sign-digest.js'

export interface FakeKey {
  readonly key: PrivateKey
  /** Default signing. */
  readonly usage?: 'encrypt'
  readonly disabled?: true
  /** Google's name of the algorithm, or Vault's of the type; by default that of P-256. */
  readonly algorithm?: string
}

/** Keys by what a request calls them. Versions count from 1. */
export interface FakeKeys {
  /** By id, or by `alias/NAME`. */
  readonly aws: Map<string, { readonly id: string } & FakeKey>
  readonly google: Map<string, readonly FakeKey[]>
  readonly azure: Map<string, readonly FakeKey[]>
  readonly vault: Map<string, readonly FakeKey[]>
  /** Ids of keys at AWS that are on their way to deletion. */
  readonly scheduled: Set<string>
  /** Key rings at Google that there are; a key that is put there needs none. */
  readonly rings: Set<string>
  /** How often Google says of a version that it is still being generated, by its name. */
  readonly generating: Map<string, number>
}

export function emptyKeys(): FakeKeys {
  return {
    aws: new Map(),
    google: new Map(),
    azure: new Map(),
    vault: new Map(),
    scheduled: new Set(),
    rings: new Set(),
    generating: new Map(),
  }
}

/** Services' own names of algorithms, as far as tests make such keys. */
const KINDS: ReadonlyMap<string, AlgorithmName> = new Map<string, AlgorithmName>([
  ...(['ECC_NIST_P256', 'EC_SIGN_P256_SHA256', 'P-256', 'ecdsa-p256'] as const).map(
    (name) => [name, 'ecdsa-sha2-256-nistp256'] as const,
  ),
  ...(['ECC_NIST_P384', 'EC_SIGN_P384_SHA384', 'P-384', 'ecdsa-p384'] as const).map(
    (name) => [name, 'ecdsa-sha2-384-nistp384'] as const,
  ),
  ...(['ECC_NIST_P521', 'P-521', 'ecdsa-p521'] as const).map((name) => [name, 'ecdsa-sha2-512-nistp521'] as const),
  ...(['RSA_3072', 'RSA_SIGN_PKCS1_3072_SHA256', 'RSA 3072', 'rsa-3072'] as const).map(
    (name) => [name, 'rsa-sign-pkcs1-3072-sha256'] as const,
  ),
  ...(['ECC_NIST_EDWARDS25519', 'EC_SIGN_ED25519', 'ed25519'] as const).map((name) => [name, 'ed25519'] as const),
])

/** A new key of what a service calls so; undefined if no service has such keys. */
export async function generateKind(kind: string): Promise<PrivateKey | undefined> {
  const algorithm = KINDS.get(kind)
  return algorithm === undefined ? undefined : await generatePrivateKey(algorithm)
}

/** A signature over a digest, as everybody but Azure writes it. */
export function signAsDer({ key }: FakeKey, digest: Uint8Array): Uint8Array {
  const signature = signDigest(key, digest)
  return key.publicKey.keyType === 'rsa' ? signature : derOfPair(signature)
}
