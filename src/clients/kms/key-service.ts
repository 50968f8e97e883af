/** What each key management service does, in one shape. @module */
import type { Algorithm, AlgorithmName } from '#crypto/algorithms'
import type { DigestName } from '#crypto/digest'
import type { KmsKey } from './kms-key.js'

/** The key that one address names, at its service. What is asked may throw KmsError, CloudError, HttpError `HTTP_ABORTED`. */
export interface KeyService {
  /** Of several versions, unless the address names one, the newest. */
  fetchKey(signal: AbortSignal): Promise<KmsKey>
  sign(signing: KmsSigning): Promise<Uint8Array>
  /** Bytes of the largest message that the service signs as it is; undefined: it signs digests alone. */
  readonly messageLimit: number | undefined
  /**
   * Looks whether the address is one that a key can be made for, and the algorithm one that the service has, without asking it.
   * @throws KmsError KMS_URI, KMS_ALGORITHM
   */
  planKey(algorithm: AlgorithmName): KeyPlan
}

/** Makes the key, once it was found to be missing. */
export type KeyPlan = (signal: AbortSignal) => Promise<CreatedKey>

export interface CreatedKey {
  readonly key: KmsKey
  /** `existing`: it was there, and is left as it is. */
  readonly origin: 'created' | 'existing'
}

/** What is signed at the service, and how. */
export interface KmsSigning {
  readonly key: KmsKey
  readonly algorithm: Algorithm
  readonly payload: SigningPayload
  readonly signal: AbortSignal
}

/** A digest, or the message itself for the algorithms that do not begin with a digest. */
export type SigningPayload =
  | { readonly kind: 'digest'; readonly name: DigestName; readonly bytes: Uint8Array }
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
