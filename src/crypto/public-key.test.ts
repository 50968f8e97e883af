import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { concatBytes } from '#encoding/bytes'
import { derBitString, derInteger, derNull, derOid, derSequence } from '#encoding/der-writer'
import { encodePem } from '#encoding/pem'
import { fuzzRuns } from '#testing/fuzz'
import { privateKeyFromPem, privateKeyFromPkcs8 } from './private-key.js'
import { keyObjectOf, parsePublicKey, publicKeyFromPem } from './public-key.js'

const P256 = spkiOf('P-256')
const RSA = derOid('1.2.840.113549.1.1.1')

function spkiOf(namedCurve: string): Uint8Array {
  return new Uint8Array(generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'der', type: 'spki' }))
}

function rsaSpki(modulus: Uint8Array, exponent: number | bigint): Uint8Array {
  return derSequence(derSequence(RSA, derNull()), derBitString(derSequence(derInteger(modulus), derInteger(exponent))))
}

test('a key knows its type, its point and the hash of its DER', () => {
  const key = parsePublicKey(P256)
  assert.equal(key.keyType, 'ec-p256')
  assert.equal(key.raw.length, 65)
  assert.equal(key.id.length, 32)
})

test('a point that is not on the curve is refused when the key is used', () => {
  const off = Uint8Array.from(P256)
  off[off.length - 1] = (off.at(-1) ?? 0) ^ 1
  assert.throws(() => keyObjectOf(parsePublicKey(off)), { code: 'KEY_MALFORMED' })
})

const REFUSED = [
  ['secp256k1', spkiOf('secp256k1'), 'KEY_UNSUPPORTED'],
  ['bytes after the key', concatBytes(P256, Uint8Array.of(0)), 'KEY_MALFORMED'],
  ['half a key', P256.subarray(0, 40), 'KEY_MALFORMED'],
  ['RSA of 1024 bits', rsaSpki(new Uint8Array(128).fill(0xff), 65537), 'KEY_WEAK'],
  ['RSA of 16384 bits', rsaSpki(new Uint8Array(2048).fill(0xff), 65537), 'KEY_WEAK'],
  ['RSA with exponent 1', rsaSpki(new Uint8Array(256).fill(0xff), 1), 'KEY_WEAK'],
  ['RSA with an even exponent', rsaSpki(new Uint8Array(256).fill(0xff), 65536), 'KEY_WEAK'],
  ['RSA with an exponent of 40 bits', rsaSpki(new Uint8Array(256).fill(0xff), 2n ** 40n + 1n), 'KEY_WEAK'],
  [
    'Ed25519 of 31 bytes',
    derSequence(derSequence(derOid('1.3.101.112')), derBitString(new Uint8Array(31))),
    'KEY_MALFORMED',
  ],
  [
    'Ed25519 with parameters',
    derSequence(derSequence(derOid('1.3.101.112'), derNull()), derBitString(new Uint8Array(32))),
    'KEY_MALFORMED',
  ],
  [
    'an algorithm nobody knows',
    derSequence(derSequence(derOid('1.2.3')), derBitString(new Uint8Array(32))),
    'KEY_UNSUPPORTED',
  ],
] as const

for (const [name, spki, code] of REFUSED) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parsePublicKey(spki), { code })
  })
}

test('any bytes give a key or a coded error', () => {
  const mutated = fc.tuple(fc.nat(P256.length - 1), fc.nat(255)).map(([at, value]) => {
    const bytes = Uint8Array.from(P256)
    bytes[at] = value
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
      try {
        keyObjectOf(parsePublicKey(bytes))
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('PEM: a certificate, two keys, or nothing are not a public key', () => {
  const pem = encodePem('PUBLIC KEY', P256)
  for (const text of [encodePem('CERTIFICATE', P256), pem + pem, '', 'PUBLIC KEY']) {
    assert.throws(() => publicKeyFromPem(text), { code: 'KEY_MALFORMED' })
  }
})

test('PEM: SEC 1 keys with their EC PARAMETERS block are read, encrypted keys are named', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const sec1 = privateKey.export({ format: 'pem', type: 'sec1' })
  const parameters = encodePem('EC PARAMETERS', derOid('1.3.132.0.34'))
  assert.equal(privateKeyFromPem(parameters + String(sec1)).publicKey.keyType, 'ec-p384')
  const encrypted = privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' })
  assert.throws(() => privateKeyFromPem(String(encrypted)), { code: 'KEY_ENCRYPTED' })
  assert.throws(() => privateKeyFromPem(encodePem('PUBLIC KEY', P256)), { code: 'KEY_MALFORMED' })
  assert.throws(() => privateKeyFromPkcs8(Uint8Array.of(1, 2, 3)), { code: 'KEY_MALFORMED' })
})
