import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import type { AlgorithmName } from './algorithms.js'
import { publicKeyFromJwk } from './jwk.js'
import { generatePrivateKey } from './private-key.js'
import { keyObjectOf } from './public-key.js'

// RFC 7515 appendix A.3.1.
const EC = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}
const SHORT = Buffer.alloc(64, 0xff).toString('base64url')

for (const [name, jwk, code] of [
  ['nothing', {}, 'KEY_UNSUPPORTED'],
  ['a symmetric key', { kty: 'oct', k: 'AAAA' }, 'KEY_UNSUPPORTED'],
  ['a type that every object has', { kty: 'constructor' }, 'KEY_UNSUPPORTED'],
  ['secp256k1', { ...EC, crv: 'secp256k1' }, 'KEY_UNSUPPORTED'],
  ['secp256k1, as Azure calls it', { ...EC, crv: 'P-256K' }, 'KEY_UNSUPPORTED'],
  ['X25519', { kty: 'OKP', crv: 'X25519', x: EC.x }, 'KEY_UNSUPPORTED'],
  ['no curve', { kty: 'EC', x: EC.x, y: EC.y }, 'KEY_UNSUPPORTED'],
  ['no y', { ...EC, y: undefined }, 'KEY_MALFORMED'],
  ['a y with padding', { ...EC, y: `${EC.y}=` }, 'KEY_MALFORMED'],
  ['a y of another alphabet', { ...EC, y: EC.y.replace('_', '/') }, 'KEY_MALFORMED'],
  ['a point beside the curve', { ...EC, y: EC.x }, 'KEY_MALFORMED'],
  ['another curve', { ...EC, crv: 'P-384' }, 'KEY_MALFORMED'],
  ['RSA of 512 bits', { kty: 'RSA', n: SHORT, e: 'AQAB' }, 'KEY_WEAK'],
  [
    'RSA with an exponent of one',
    { kty: 'RSA', n: Buffer.alloc(256, 0xff).toString('base64url'), e: 'AQ' },
    'KEY_WEAK',
  ],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(() => publicKeyFromJwk(jwk as unknown as JsonObject), { code })
  })
}

test('a private part is not looked at', () => {
  const { spki } = publicKeyFromJwk({ ...EC, d: 'AAAA' })
  assert.deepEqual(spki, publicKeyFromJwk(EC).spki)
})

const NAMES: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'ed25519',
  'rsa-sign-pkcs1-2048-sha256',
]
for (const name of NAMES) {
  test(`${name} comes back as it was`, async () => {
    const { publicKey } = await generatePrivateKey(name)
    const jwk = keyObjectOf(publicKey).export({ format: 'jwk' }) as JsonObject
    assert.deepEqual(publicKeyFromJwk(jwk), publicKey)
  })
}

test('any object is a key or a coded error', () => {
  const value = fc.oneof(
    fc.constantFrom(EC.x, EC.y, 'EC', 'RSA', 'OKP', 'P-256', 'Ed25519', 'AQAB', '', SHORT),
    fc.jsonValue(),
  )
  const jwk = fc.dictionary(fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e'), value)
  fc.assert(
    fc.property(jwk, (given) => {
      try {
        assert.ok(publicKeyFromJwk(given as JsonObject).spki.length > 0)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
