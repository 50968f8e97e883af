/** A key that stays at its service: what is known of it here. @module */
import type { Algorithm } from '#crypto/algorithms'
import { ALGORITHMS, defaultAlgorithm } from '#crypto/algorithms'
import { isOnCurve } from '#crypto/ecdsa-digest'
import { KeyError } from '#crypto/key-error'
import type { DigestName } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { isCodedError } from '#errors'
import type { CloudPorts } from '../cloud/cloud-ports.js'
import type { Timers } from '../http/fetch.js'
import { KmsError } from './kms-error.js'

export interface KmsPorts extends CloudPorts {
  /** For Vault, whose certificate may be of an authority of its own. */
  readonly vaultFetch: CloudPorts['fetch']
  /** What is in `~/.vault-token`; undefined: there is no such file. */
  readonly vaultTokenFile: () => Promise<string | undefined>
  /**
   * Which hosts an address of a key may send a signed request to. `any`: whoever wrote it runs this program themselves.
   * `known`: it comes from a policy; only the cloud's own, and those that the environment names.
   */
  readonly endpoints: 'any' | 'known'
  /** For waiting until a key that was made can be used. */
  readonly timers: Timers
}

export interface KmsKey {
  readonly publicKey: PublicKey
  /** The only one that the service lets the key sign with; undefined: those that such keys usually have. */
  readonly algorithm: Algorithm | undefined
  /** What the service calls this very version of the key. */
  readonly name: string
}

/**
 * The key in an answer.
 * @throws {@link KmsError} KMS_KEY_TYPE for one that is not used here, KMS_RESPONSE for what is no key
 */
export function readKey(what: string, read: () => PublicKey): PublicKey {
  try {
    const key = read()
    defaultAlgorithm(key)
    if (key.keyType.startsWith('ec-') && !isOnCurve(key))
      throw new KeyError('KEY_MALFORMED', 'the point of the key is not on its curve')
    return key
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const { message, expected, found } = cause
    const unusable = cause.code === 'KEY_UNSUPPORTED' || cause.code === 'KEY_WEAK'
    throw new KmsError(unusable ? 'KMS_KEY_TYPE' : 'KMS_RESPONSE', `${what}: ${message}`, { expected, found, cause })
  }
}

/** Of an RSA key that is bound to a scheme and a digest, some of which the registry of algorithms has no line for. */
export function rsaAlgorithm(
  { keyBits }: PublicKey,
  scheme: { readonly family: 'rsa-pkcs1' | 'rsa-pss'; readonly digest: DigestName },
): Algorithm | undefined {
  const row = Object.values(ALGORITHMS).find((each) => each.family === scheme.family && each.keyBits === keyBits)
  if (row === undefined || row.digest === scheme.digest) return row
  return { ...row, digest: scheme.digest }
}
