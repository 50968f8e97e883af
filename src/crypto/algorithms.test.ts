import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublicKeyDetails } from '@sigstore/protobuf-specs'
import {
  ALGORITHMS,
  KEY_DETAILS_NUMBERS,
  algorithmByKeyDetails,
  algorithmByName,
  defaultAlgorithm,
} from './algorithms.js'

test('every PublicKeyDetails of protobuf-specs has the number that protobuf-specs gives it', () => {
  for (const [name, number] of Object.entries(PublicKeyDetails)) {
    if (typeof number === 'number') assert.equal(KEY_DETAILS_NUMBERS[name], number, name)
  }
})

test('a key details name leads to its algorithm and back', () => {
  for (const algorithm of Object.values(ALGORITHMS))
    assert.equal(algorithmByKeyDetails(algorithm.keyDetails), algorithm)
})

for (const name of ['', 'toString', '__proto__', 'ecdsa', 'rsa-sign-pkcs1-1024-sha256']) {
  test(`there is no algorithm called '${name}'`, () => {
    assert.throws(() => algorithmByName(name), { code: 'ALGORITHM_UNKNOWN' })
    assert.equal(algorithmByKeyDetails(name), undefined)
  })
}

test('keys default to the digest of their own size, RSA to PKCS #1, Ed25519 to pure', () => {
  assert.equal(defaultAlgorithm({ keyType: 'ec-p384' }).name, 'ecdsa-sha2-384-nistp384')
  assert.equal(defaultAlgorithm({ keyType: 'ec-p521' }).name, 'ecdsa-sha2-512-nistp521')
  assert.equal(defaultAlgorithm({ keyType: 'rsa', keyBits: 3072 }).name, 'rsa-sign-pkcs1-3072-sha256')
  assert.equal(defaultAlgorithm({ keyType: 'ed25519' }).name, 'ed25519')
})

test('an RSA key of an unregistered size has no default', () => {
  assert.throws(() => defaultAlgorithm({ keyType: 'rsa', keyBits: 2056 }), { code: 'KEY_UNSUPPORTED' })
})
