/** Keys that stay at a key management service. Its clients are a chunk of their own, which only an address of such a key loads. @module */
import { ALGORITHMS, type Algorithm, type AlgorithmName } from '#crypto/algorithms'
import type { KmsKey } from '#clients/kms/kms-key'
import type { Signer } from '#crypto/private-key'
import { parsePublicKey, type PublicKey } from '#crypto/public-key'
import type { Host } from '../kit/host.js'

/** A key, and the only algorithm that it is used with, where there is only one. */
export interface KnownKey {
  readonly key: PublicKey
  readonly algorithm?: Algorithm
}

/** Whether a key reference is the address of a key at a service; whether it is a right one is said when it is asked for. */
export function isKmsAddress(reference: string): boolean {
  return /^(?:awskms|gcpkms|azurekms|hashivault|openbao):\/\//.test(reference)
}

/** The public key that somebody names on their own command line. @throws KmsError, CloudError */
export async function loadKmsKey(host: Host, uri: string, signal: AbortSignal): Promise<KnownKey> {
  const { openKms } = await import('./kms.js')
  return ownKnownKey(await (await openKms(host, { endpoints: 'any' })).key(uri, signal))
}

/** What signs with the key. @throws KmsError, CloudError */
export async function loadKmsSigner(host: Host, uri: string, signal: AbortSignal): Promise<Signer> {
  const { openKms } = await import('./kms.js')
  const signer = await (await openKms(host, { endpoints: 'any' })).signer(uri, signal)
  const { publicKey, algorithm } = signer
  return { publicKey: ownKey(publicKey), algorithm: ownAlgorithm(algorithm), sign: (input) => signer.sign(input) }
}

export interface KeyAtService {
  readonly publicKey: PublicKey
  readonly origin: 'created' | 'existing'
}

/** Makes the key unless it is there. @throws KmsError, CloudError */
export async function createKeyAtService(
  host: Host,
  uri: string,
  ask: { readonly algorithm: AlgorithmName | undefined; readonly signal: AbortSignal },
): Promise<KeyAtService> {
  const { openKms } = await import('./kms.js')
  const { key, origin } = await (await openKms(host, { endpoints: 'any' })).create(uri, ask)
  return { publicKey: ownKey(key.publicKey), origin }
}

/** Read anew: what is remembered of a key is remembered a chunk (ADR 6). */
export function ownKnownKey({ publicKey, algorithm }: Pick<KmsKey, 'publicKey' | 'algorithm'>): KnownKey {
  const key = ownKey(publicKey)
  return algorithm === undefined ? { key } : { key, algorithm: ownAlgorithm(algorithm) }
}

function ownKey({ spki }: PublicKey): PublicKey {
  return parsePublicKey(spki)
}

function ownAlgorithm(algorithm: Algorithm): Algorithm {
  const row = ALGORITHMS[algorithm.name]
  return row.digest === algorithm.digest ? row : algorithm
}
