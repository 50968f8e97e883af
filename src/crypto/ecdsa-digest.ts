/**
 * ECDSA over a digest, on a runtime whose verify call always hashes.
 *
 * A signature (r, s) is right for the number h of a digest and the key Q if x((h/s)·G + (r/s)·Q) = r. With
 * Q' = Q + ((h - h')/r)·G the same point comes out of (h'/s)·G + (r/s)·Q'. So (r, s) is right for h and Q exactly if it is right
 * for h' and Q'; and h' may be the hash of a message that we choose, which the runtime can verify.
 * @module
 */
import { createECDH, createPublicKey, verify } from 'node:crypto'
import { encodeBase64Url } from '#encoding/base64'
import { TAG, readDer, readInteger } from '#encoding/der'
import { isCodedError } from '#errors'
import { digest as digestOf } from './digest.js'
import type { KeyType } from './algorithms.js'
import type { PublicKey } from './public-key.js'

interface Curve {
  /** OpenSSL's name, and JWK's. */
  readonly name: string
  readonly jwk: string
  /** Bytes of a coordinate. */
  readonly size: number
  /** Bits of the order. */
  readonly bits: number
  /** The field's prime, the curve's b (its a is -3), and the order of the group (SEC 2 §2). */
  readonly p: bigint
  readonly b: bigint
  readonly n: bigint
}

const CURVES: Readonly<Partial<Record<KeyType, Curve>>> = {
  'ec-p256': {
    name: 'prime256v1',
    jwk: 'P-256',
    size: 32,
    bits: 256,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'ec-p384': {
    name: 'secp384r1',
    jwk: 'P-384',
    size: 48,
    bits: 384,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  'ec-p521': {
    name: 'secp521r1',
    jwk: 'P-521',
    size: 66,
    bits: 521,
    p: 2n ** 521n - 1n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    n: 2n ** 521n - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7n,
  },
}

interface Point {
  readonly x: bigint
  readonly y: bigint
}

/** If the first one leads to a point that cannot be written down, which nobody can bring about for both, there is the second. */
const MESSAGES: readonly Uint8Array[] = [Uint8Array.of(1), Uint8Array.of(2)]

/** Whether the key's point is one of its curve; false for keys of other kinds. Much faster than to let OpenSSL import it. */
export function isOnCurve(key: PublicKey): boolean {
  const curve = CURVES[key.keyType]
  if (curve === undefined) return false
  const { x, y } = readPoint(key.raw, curve)
  const { p, b } = curve
  return x < p && y < p && modulo(y * y - (x * x - 3n) * x - b, p) === 0n
}

/**
 * Whether a DER signature is right for a digest. A malformed one is a wrong one.
 * The key's point must have been found to be on its curve: {@link isOnCurve}.
 */
export function isEcdsaDigestSignature(key: PublicKey, signature: Uint8Array, digest: Uint8Array): boolean {
  const curve = CURVES[key.keyType]
  const r = curve === undefined ? undefined : firstNumber(signature)
  if (curve === undefined || r === undefined || r <= 0n || r >= curve.n) return false
  const h = hashNumber(digest, curve)
  const inverse = invert(r, curve.n)
  for (const message of MESSAGES) {
    const shift = modulo((h - hashNumber(digestOf('sha256', message), curve)) * inverse, curve.n)
    const moved = movedKey(key, shift, curve)
    if (moved === undefined) continue
    const jwk = { kty: 'EC', crv: curve.jwk, x: coordinate(moved.x, curve), y: coordinate(moved.y, curve) }
    return verify('sha256', message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
  }
  return false
}

/** Q + shift·G; undefined if that is infinity, or a doubling, for which the formula below is not made. */
function movedKey(key: PublicKey, shift: bigint, curve: Curve): Point | undefined {
  const point = readPoint(key.raw, curve)
  if (shift === 0n) return point
  const ecdh = createECDH(curve.name)
  ecdh.setPrivateKey(bigEndian(shift, curve.size))
  const added = readPoint(ecdh.getPublicKey(), curve)
  if (added.x === point.x) return undefined
  const { p } = curve
  const slope = modulo((added.y - point.y) * invert(modulo(added.x - point.x, p), p), p)
  const x = modulo(slope * slope - point.x - added.x, p)
  return { x, y: modulo(slope * (point.x - x) - point.y, p) }
}

/** r of `SEQUENCE { r INTEGER, s INTEGER }`; s is left to OpenSSL. */
function firstNumber(signature: Uint8Array): bigint | undefined {
  try {
    return readInteger(readDer(signature, TAG.SEQUENCE).contents().next(TAG.INTEGER))
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

/** The leftmost bits of the digest, as many as the order has (FIPS 186-5 §6.4.2). */
function hashNumber(digest: Uint8Array, { bits }: Curve): bigint {
  const excess = digest.length * 8 - bits
  const value = fromBigEndian(digest)
  return excess > 0 ? value >> BigInt(excess) : value
}

/** An uncompressed point: 0x04, x, y. */
function readPoint(raw: Uint8Array, { size }: Curve): Point {
  return { x: fromBigEndian(raw.subarray(1, 1 + size)), y: fromBigEndian(raw.subarray(1 + size)) }
}

function coordinate(value: bigint, { size }: Curve): string {
  return encodeBase64Url(bigEndian(value, size))
}

function fromBigEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex') || '0'}`)
}

function bigEndian(value: bigint, size: number): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex'))
}

function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus
  return rest < 0n ? rest + modulus : rest
}

/** The inverse of a number that the prime does not divide (extended Euclid; nothing here is secret). */
function invert(value: bigint, prime: bigint): bigint {
  let [a, b] = [prime, modulo(value, prime)]
  let [x, y] = [0n, 1n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return modulo(x, prime)
}
