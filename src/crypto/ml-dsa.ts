/** ML-DSA (FIPS 204): OpenSSL's where the runtime has it, else a library. @module */
import type { KeyObject } from 'node:crypto'
import { verify } from 'node:crypto'
import type { KeyType } from './algorithms.js'
import type { PublicKey } from './public-key.js'
import { keyObjectOf } from './public-key.js'

/** Whether an ML-DSA signature with an empty context is right for the message. */
export async function verifyMlDsa(key: PublicKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const object = runtimeKey(key)
  if (object !== undefined) return verify(null, message, object, signature)
  const scheme = await loadMlDsa(key.keyType)
  return (
    scheme !== undefined && signature.length === scheme.lengths.signature && scheme.verify(signature, message, key.raw)
  )
}

/** Signs with the 32-byte seed of an ML-DSA key. */
export async function signMlDsa(keyType: KeyType, seed: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  const scheme = await loadMlDsa(keyType)
  if (scheme === undefined) throw new TypeError('not an ML-DSA key')
  return scheme.sign(message, scheme.keygen(seed).secretKey)
}

/** The public key that belongs to a 32-byte seed. */
export async function mlDsaPublicKey(keyType: KeyType, seed: Uint8Array): Promise<Uint8Array> {
  const scheme = await loadMlDsa(keyType)
  if (scheme === undefined) throw new TypeError('not an ML-DSA key')
  return scheme.keygen(seed).publicKey
}

/** The key for OpenSSL, where the runtime has ML-DSA (Node 24.7 and later). */
function runtimeKey(key: PublicKey): KeyObject | undefined {
  try {
    return keyObjectOf(key)
  } catch {
    return undefined
  }
}

interface MlDsa {
  readonly lengths: { readonly signature?: number | undefined }
  keygen(seed: Uint8Array): { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array }
  sign(message: Uint8Array, secretKey: Uint8Array): Uint8Array
  verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

async function loadMlDsa(keyType: KeyType): Promise<MlDsa | undefined> {
  const { ml_dsa44, ml_dsa65, ml_dsa87 } = await import('@noble/post-quantum/ml-dsa.js')
  const schemes = new Map<KeyType, MlDsa>([
    ['ml-dsa-44', ml_dsa44],
    ['ml-dsa-65', ml_dsa65],
    ['ml-dsa-87', ml_dsa87],
  ])
  return schemes.get(keyType)
}
