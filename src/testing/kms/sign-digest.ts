/** Signatures over digests, as key services make them: node's own functions always hash first. @module */
import { constants, createECDH, createPrivateKey, privateEncrypt, randomBytes } from 'node:crypto'
import type { PrivateKey } from '#crypto/private-key'
import { concatBytes } from '#encoding/bytes'
import { derInteger, derNull, derOctetString, derOid, derSequence } from '#encoding/der-writer'

const CURVES = {
  'ec-p256': {
    name: 'prime256v1',
    size: 32,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'ec-p384': {
    name: 'secp384r1',
    size: 48,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
} as const

const HASHES = new Map([
  [32, '2.16.840.1.101.3.4.2.1'],
  [48, '2.16.840.1.101.3.4.2.2'],
  [64, '2.16.840.1.101.3.4.2.3'],
])

/** r and s side by side for ECDSA with a digest as long as the curve; PKCS #1 v1.5 for RSA. */
export function signDigest(key: PrivateKey, digest: Uint8Array): Uint8Array {
  const { keyType } = key.publicKey
  const object = createPrivateKey({ key: Buffer.from(key.exportPkcs8()), format: 'der', type: 'pkcs8' })
  if (keyType === 'rsa') {
    const info = derSequence(derSequence(derOid(HASHES.get(digest.length) ?? ''), derNull()), derOctetString(digest))
    return new Uint8Array(privateEncrypt({ key: object, padding: constants.RSA_PKCS1_PADDING }, info))
  }
  if (keyType !== 'ec-p256' && keyType !== 'ec-p384') throw new Error(`no signing with ${keyType} here`)
  const { name, size, n } = CURVES[keyType]
  const d = number(Buffer.from(object.export({ format: 'jwk' }).d ?? '', 'base64url'))
  const secret = randomBytes(size - 1)
  const ecdh = createECDH(name)
  ecdh.setPrivateKey(Buffer.concat([Buffer.alloc(1), secret]))
  const r = number(ecdh.getPublicKey().subarray(1, 1 + size)) % n
  const s = (inverse(number(secret), n) * (number(digest) + r * d)) % n
  return concatBytes(bytes(r, size), bytes(s, size))
}

/** The same as DER writes it. */
export function derOfPair(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  return derSequence(derInteger(signature.subarray(0, half)), derInteger(signature.subarray(half)))
}

function number(value: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(value).toString('hex')}`)
}

function bytes(value: bigint, size: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex'))
}

/** By Fermat: the order of the group is a prime. */
function inverse(value: bigint, prime: bigint): bigint {
  let [result, base, exponent] = [1n, value % prime, prime - 2n]
  for (; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % prime
    base = (base * base) % prime
  }
  return result
}
