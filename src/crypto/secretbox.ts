/** Password-based encryption as cosign's key files use it: scrypt and NaCl's secretbox. @module */
import { scrypt } from 'node:crypto'
import { CodedError } from '#errors'

export type SecretboxErrorCode =
  /** An encrypted box does not open with this key. */
  'SECRETBOX_OPEN'

/** A box did not open: another key, or changed bytes. */
export class SecretboxError extends CodedError<SecretboxErrorCode> {
  override readonly name = 'SecretboxError'
}

/** Cost parameters of scrypt (RFC 7914 §2). */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const KEY_SIZE = 32

/** A 32-byte key from a password. Memory use is about 128·N·r bytes; callers bound the cost before they call. */
export async function scryptKey(password: Uint8Array, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  const maxmem = 128 * cost.N * cost.r + 128 * cost.r * cost.p + (1 << 20)
  return await new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_SIZE, { ...cost, maxmem }, (error, key) => {
      if (error === null) resolve(new Uint8Array(key))
      else reject(error)
    })
  })
}

/** XSalsa20-Poly1305 with a 24-byte nonce. */
export async function sealSecretbox(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js')
  return xsalsa20poly1305(key, nonce).encrypt(plaintext)
}

/** @throws {@link SecretboxError} if the key is another one or the box was changed. */
export async function openSecretbox(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): Promise<Uint8Array> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js')
  try {
    return xsalsa20poly1305(key, nonce).decrypt(box)
  } catch {
    throw new SecretboxError('SECRETBOX_OPEN', 'the box does not open with this key')
  }
}
