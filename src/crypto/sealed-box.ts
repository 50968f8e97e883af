/** NaCl's sealed boxes: encryption to a public key by nobody in particular, as GitHub wants its secrets. @module */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { concatBytes } from '#encoding/bytes'
import { decodeHex } from '#encoding/hex'
import { KeyError } from './key-error.js'
import type { RandomSource } from './random.js'
import { sealSecretbox } from './secretbox.js'

/** Of a key of X25519, and of the nonce of XSalsa20. */
const KEY_SIZE = 32
const NONCE_SIZE = 24

/** PrivateKeyInfo and SubjectPublicKeyInfo of X25519 up to the key itself (RFC 8410 §4, §7). */
const PRIVATE_PREFIX = decodeHex('302e020100300506032b656e04220420')
const PUBLIC_PREFIX = decodeHex('302a300506032b656e032100')

/** `expand 32-byte k`, the constant of Salsa20, in words of 32 bits. */
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

/**
 * The public key of this box, 32 bytes, and the ciphertext: XSalsa20-Poly1305 under what X25519 makes of both keys, with a nonce of
 * BLAKE2b over them. Source: libsodium, crypto_box_seal.
 * @throws {@link KeyError} KEY_MALFORMED for what is no key of X25519
 */
export async function sealBox(recipient: Uint8Array, plaintext: Uint8Array, random: RandomSource): Promise<Uint8Array> {
  if (recipient.length !== KEY_SIZE) throw notAKey(`${String(recipient.length)} bytes`)
  const secret = createPrivateKey({ key: der(PRIVATE_PREFIX, random(KEY_SIZE)), format: 'der', type: 'pkcs8' })
  const { x = '' } = createPublicKey(secret).export({ format: 'jwk' })
  const own = new Uint8Array(Buffer.from(x, 'base64url'))
  const [{ hsalsa }, { blake2b }] = await Promise.all([
    import('@noble/ciphers/salsa.js'),
    import('@noble/hashes/blake2.js'),
  ])
  const key = new Uint32Array(KEY_SIZE / 4)
  hsalsa(SIGMA, words(agree(secret, recipient)), new Uint32Array(4), key)
  const nonce = blake2b(concatBytes(own, recipient), { dkLen: NONCE_SIZE })
  return concatBytes(own, await sealSecretbox(new Uint8Array(key.buffer), nonce, plaintext))
}

function agree(privateKey: ReturnType<typeof createPrivateKey>, recipient: Uint8Array): Uint8Array {
  const publicKey = createPublicKey({ key: der(PUBLIC_PREFIX, recipient), format: 'der', type: 'spki' })
  try {
    return new Uint8Array(diffieHellman({ privateKey, publicKey }))
  } catch {
    // A point of small order: whatever is said to it, anybody could read.
    throw notAKey('a point that agrees with nobody')
  }
}

function der(prefix: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.from(concatBytes(prefix, key))
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer)
}

function notAKey(found: string): KeyError {
  return new KeyError('KEY_MALFORMED', 'not a public key to encrypt to', { expected: '32 bytes of X25519', found })
}
