/** Public keys, from their SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). @module */
import type { KeyObject } from 'node:crypto'
import { createPublicKey } from 'node:crypto'
import { encodeBase64Url } from '#encoding/base64'
import type { DerElement, DerReader } from '#encoding/der'
import { TAG, readBitStringBytes, readDer, readIntegerBytes, readNull, readOid } from '#encoding/der'
import { encodePem, parsePem } from '#encoding/pem'
import type { KeyType } from './algorithms.js'
import { sha256 } from './digest.js'
import { KeyError } from './key-error.js'

/** A public key that has been read and found sound. */
export interface PublicKey {
  /** The DER of its SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly keyType: KeyType
  /** Modulus length of RSA keys. */
  readonly keyBits?: number
  /** SHA-256 of {@link spki}. */
  readonly id: Uint8Array
  /** The key's own bytes: the curve point, the RSAPublicKey, or the raw key. */
  readonly raw: Uint8Array
}

const OID_EC = '1.2.840.10045.2.1'
const OID_RSA = '1.2.840.113549.1.1.1'
const OID_RSA_PSS = '1.2.840.113549.1.1.10'

interface Curve {
  readonly keyType: KeyType
  readonly jwk: string
  /** Bytes of one coordinate. */
  readonly size: number
}

const CURVES: ReadonlyMap<string, Curve> = new Map([
  ['1.2.840.10045.3.1.7', { keyType: 'ec-p256', jwk: 'P-256', size: 32 }],
  ['1.3.132.0.34', { keyType: 'ec-p384', jwk: 'P-384', size: 48 }],
  ['1.3.132.0.35', { keyType: 'ec-p521', jwk: 'P-521', size: 66 }],
])

const RAW_KEYS: ReadonlyMap<string, { readonly keyType: KeyType; readonly size: number }> = new Map([
  ['1.3.101.112', { keyType: 'ed25519', size: 32 }],
  ['2.16.840.1.101.3.4.3.17', { keyType: 'ml-dsa-44', size: 1312 }],
  ['2.16.840.1.101.3.4.3.18', { keyType: 'ml-dsa-65', size: 1952 }],
  ['2.16.840.1.101.3.4.3.19', { keyType: 'ml-dsa-87', size: 2592 }],
])

const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192 // a modulus without a bound is a way to burn the verifier's time

type Jwk = Readonly<Record<string, string>>

interface Parsed {
  readonly keyType: KeyType
  readonly keyBits?: number
  readonly raw: Uint8Array
  /** How to hand the key to OpenSSL; undefined where only its DER will do. */
  readonly jwk: Jwk | undefined
}

const jwks = new WeakMap<PublicKey, Jwk>()
const keyObjects = new WeakMap<PublicKey, KeyObject>()

/**
 * Reads a DER SubjectPublicKeyInfo.
 * @throws {@link KeyError} KEY_MALFORMED, KEY_UNSUPPORTED or KEY_WEAK
 */
export function parsePublicKey(spki: Uint8Array): PublicKey {
  const { jwk, ...parsed } = parseSpki(spki)
  const key: PublicKey = { spki, id: sha256(spki), ...parsed }
  if (jwk !== undefined) jwks.set(key, jwk)
  return key
}

/**
 * Reads the one PUBLIC KEY block of a PEM text.
 * @throws {@link KeyError} as {@link parsePublicKey} does, and KEY_MALFORMED for another block or several.
 */
export function publicKeyFromPem(text: string): PublicKey {
  const blocks = malformedAs('not a PEM public key', () => parsePem(text))
  const [block] = blocks
  if (
    block === undefined ||
    blocks.length !== 1 ||
    (block.label !== 'PUBLIC KEY' && block.label !== 'RSA PUBLIC KEY')
  ) {
    throw new KeyError('KEY_MALFORMED', 'the PEM text is not one public key', {
      expected: 'one block BEGIN PUBLIC KEY',
      found: blocks
        .map((each) => each.label)
        .join(', ')
        .slice(0, 80),
    })
  }
  if (block.label === 'PUBLIC KEY') return parsePublicKey(block.bytes)
  const key = malformedAs('not an RSA public key', () =>
    createPublicKey({ key: Buffer.from(block.bytes), format: 'der', type: 'pkcs1' }),
  )
  return parsePublicKey(new Uint8Array(key.export({ format: 'der', type: 'spki' })))
}

/** PEM text of a key, with a line feed at its end. */
export function publicKeyToPem(key: PublicKey): string {
  return encodePem('PUBLIC KEY', key.spki)
}

/**
 * The same key for OpenSSL, made once. Imported as JWK: OpenSSL 3.0's own decoders take 170 µs a key.
 * @throws {@link KeyError} KEY_MALFORMED if the point is not on its curve, KEY_UNSUPPORTED if this runtime cannot hold the key.
 */
export function keyObjectOf(key: PublicKey): KeyObject {
  let object = keyObjects.get(key)
  if (object === undefined) {
    const jwk = jwks.get(key)
    object = malformedAs('OpenSSL does not accept the key', () =>
      jwk === undefined
        ? createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
        : createPublicKey({ key: jwk, format: 'jwk' }),
    )
    keyObjects.set(key, object)
  }
  return object
}

function parseSpki(spki: Uint8Array): Parsed {
  return malformedAs('not a SubjectPublicKeyInfo', () => {
    const outer = readDer(spki, TAG.SEQUENCE).contents()
    const algorithm = outer.next(TAG.SEQUENCE).contents()
    const oid = readOid(algorithm.next(TAG.OID))
    const bits = readBitStringBytes(outer.next(TAG.BIT_STRING))
    outer.end()
    return parseKey(oid, algorithm, bits)
  })
}

function parseKey(oid: string, parameters: DerReader, bits: Uint8Array): Parsed {
  if (oid === OID_EC) return parseEc(readOid(onlyElement(parameters, TAG.OID)), bits)
  if (oid === OID_RSA) {
    readNull(onlyElement(parameters, TAG.NULL))
    const { jwk, keyBits } = parseRsa(bits)
    return { keyType: 'rsa', keyBits, raw: bits, jwk }
  }
  if (oid === OID_RSA_PSS) return { keyType: 'rsa-pss', keyBits: parseRsa(bits).keyBits, raw: bits, jwk: undefined }
  const rawKey = RAW_KEYS.get(oid)
  if (rawKey === undefined) throw unsupported(`algorithm ${oid}`)
  parameters.end()
  if (bits.length !== rawKey.size) throw malformedSize(rawKey.size, bits.length)
  const jwk = rawKey.keyType === 'ed25519' ? { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(bits) } : undefined
  return { keyType: rawKey.keyType, raw: bits, jwk }
}

function onlyElement(reader: DerReader, tag: number): DerElement {
  const element = reader.next(tag)
  reader.end()
  return element
}

function parseEc(curveOid: string, point: Uint8Array): Parsed {
  const curve = CURVES.get(curveOid)
  if (curve === undefined) throw unsupported(`curve ${curveOid}`)
  if (point.length !== 1 + 2 * curve.size) throw malformedSize(1 + 2 * curve.size, point.length)
  if (point[0] !== 4) throw unsupported('a point that is not in uncompressed form')
  const x = encodeBase64Url(point.subarray(1, 1 + curve.size))
  const y = encodeBase64Url(point.subarray(1 + curve.size))
  return { keyType: curve.keyType, raw: point, jwk: { kty: 'EC', crv: curve.jwk, x, y } }
}

function parseRsa(bytes: Uint8Array): { readonly jwk: Jwk; readonly keyBits: number } {
  const reader = readDer(bytes, TAG.SEQUENCE).contents()
  const modulus = unsigned(readIntegerBytes(reader.next(TAG.INTEGER)))
  const exponent = unsigned(readIntegerBytes(reader.next(TAG.INTEGER)))
  reader.end()
  const keyBits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  if (keyBits < MIN_RSA_BITS || keyBits > MAX_RSA_BITS) {
    throw new KeyError('KEY_WEAK', 'an RSA key of a size that is not accepted', {
      expected: `${String(MIN_RSA_BITS)} to ${String(MAX_RSA_BITS)} bits`,
      found: `${String(keyBits)} bits`,
    })
  }
  const e = exponent.length <= 4 ? exponent.reduce((value, byte) => value * 256 + byte, 0) : 0
  if (e < 3 || e % 2 === 0) throw new KeyError('KEY_WEAK', 'an RSA key with an unsound exponent')
  return { jwk: { kty: 'RSA', n: encodeBase64Url(modulus), e: encodeBase64Url(exponent) }, keyBits }
}

function unsigned(integer: Uint8Array): Uint8Array {
  if ((integer[0] ?? 0) >= 0x80) throw new KeyError('KEY_MALFORMED', 'an RSA key with a negative number')
  return integer[0] === 0 ? integer.subarray(1) : integer
}

function malformedSize(expected: number, found: number): KeyError {
  return new KeyError('KEY_MALFORMED', 'a public key of another size than its type has', {
    expected: `${String(expected)} bytes`,
    found: `${String(found)} bytes`,
  })
}

function unsupported(found: string): KeyError {
  return new KeyError('KEY_UNSUPPORTED', 'a public key of a kind that is not supported', {
    expected: 'ECDSA P-256/384/521, RSA, Ed25519 or ML-DSA',
    found,
  })
}

function malformedAs<T>(message: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof KeyError) throw cause
    throw new KeyError('KEY_MALFORMED', message, { cause })
  }
}
