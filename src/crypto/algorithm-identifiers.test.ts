import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { TAG, readDer } from '#encoding/der'
import { derNull, derOid, derSequence } from '#encoding/der-writer'
import { fuzzRuns } from '#testing/fuzz'
import {
  encodeDigestAlgorithm,
  encodeSignatureAlgorithm,
  readDigestAlgorithm,
  readSignatureAlgorithm,
} from './algorithm-identifiers.js'
import type { SignatureScheme } from './algorithms.js'

const SCHEMES: readonly SignatureScheme[] = [
  { family: 'ecdsa', digest: 'sha256' },
  { family: 'ecdsa', digest: 'sha512' },
  { family: 'rsa-pkcs1', digest: 'sha384' },
  { family: 'rsa-pss', digest: 'sha256' },
  { family: 'ed25519', digest: undefined },
]

for (const scheme of SCHEMES) {
  test(`${scheme.family} with ${String(scheme.digest)} reads back as it was written`, () => {
    assert.deepEqual(readSignatureAlgorithm(readDer(encodeSignatureAlgorithm(scheme))), scheme)
  })
}

const SHA1_RSA = derSequence(derOid('1.2.840.113549.1.1.5'), derNull())
const PARAMETERS_WHERE_NONE = derSequence(derOid('1.2.840.10045.4.3.2'), derNull())

test('SHA-1 and parameters where there are none are refused', () => {
  assert.throws(() => readSignatureAlgorithm(readDer(SHA1_RSA)), { code: 'ALGORITHM_UNKNOWN' })
  assert.throws(() => readSignatureAlgorithm(readDer(PARAMETERS_WHERE_NONE)), { code: 'DER_TRAILING' })
  assert.throws(() => readDigestAlgorithm(readDer(derSequence(derOid('1.3.14.3.2.26')))), { code: 'ALGORITHM_UNKNOWN' })
  assert.throws(() => encodeSignatureAlgorithm({ family: 'ed25519-ph', digest: 'sha512' }), {
    code: 'ALGORITHM_UNKNOWN',
  })
})

test('digest identifiers are read with NULL parameters and without', () => {
  assert.equal(readDigestAlgorithm(readDer(encodeDigestAlgorithm('sha384'))), 'sha384')
  assert.equal(readDigestAlgorithm(readDer(derSequence(derOid('2.16.840.1.101.3.4.2.1'), derNull()))), 'sha256')
})

test('any bytes give a scheme or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
      try {
        readSignatureAlgorithm(readDer(derSequence(content), TAG.SEQUENCE))
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
