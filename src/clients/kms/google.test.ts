import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { GOOGLE, GOOGLE_KEY, isTokenUrl, openKmsBench, PEM_256K1, refused } from '#testing/kms/kms-bench'

const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const ed25519 = await generatePrivateKey('ed25519')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

describe('Google', () => {
  for (const [algorithm, key, code] of [
    ['EC_SIGN_SECP256K1_SHA256', p256, 'KMS_KEY_TYPE'],
    ['RSA_SIGN_RAW_PKCS1_2048', rsa, 'KMS_KEY_TYPE'],
    ['PQ_SIGN_SLH_DSA_SHA2_128S', p256, 'KMS_KEY_TYPE'],
    ['RSA_DECRYPT_OAEP_2048_SHA256', rsa, 'KMS_KEY_USAGE'],
    ['GOOGLE_SYMMETRIC_ENCRYPTION', p256, 'KMS_KEY_USAGE'],
    ['HMAC_SHA256', p256, 'KMS_KEY_USAGE'],
    ['EC_SIGN_P384_SHA384', p256, 'KMS_RESPONSE'],
    ['RSA_SIGN_PKCS1_2048_SHA256', p256, 'KMS_RESPONSE'],
    ['constructor', p256, 'KMS_KEY_USAGE'],
  ] as const) {
    test(`refuses ${algorithm} of ${key.publicKey.keyType}`, async () => {
      put({ key, algorithm })
      await refused(fetchKey(GOOGLE), code)
    })
  }

  for (const [algorithm, key, family, digest] of [
    ['EC_SIGN_P256_SHA256', p256, 'ecdsa', 'sha256'],
    ['EC_SIGN_P384_SHA384', p384, 'ecdsa', 'sha384'],
    ['EC_SIGN_ED25519', ed25519, 'ed25519', undefined],
    ['RSA_SIGN_PKCS1_2048_SHA256', rsa, 'rsa-pkcs1', 'sha256'],
    ['RSA_SIGN_PSS_2048_SHA256', rsa, 'rsa-pss', 'sha256'],
    ['RSA_SIGN_PKCS1_4096_SHA512', rsa, 'rsa-pkcs1', 'sha512'],
  ] as const) {
    test(`a version for ${algorithm} is used with nothing else`, async () => {
      put({ key, algorithm })
      const found = await fetchKey(GOOGLE)
      assert.deepEqual([found.algorithm?.family, found.algorithm?.digest], [family, digest])
    })
  }

  test('the newest version is the one with the greatest number, of all pages, that is enabled', async () => {
    const versions = Array.from({ length: 23 }, () => ({ key: other }))
    put(...versions, { key: p256 }, { key: other, disabled: true })
    const found = await fetchKey(GOOGLE)
    assert.equal(found.name, `${GOOGLE_KEY}/cryptoKeyVersions/24`)
    assert.equal(publicKeyToPem(found.publicKey), publicKeyToPem(p256.publicKey))
  })

  test('a version that is named, and nothing else that is asked', async () => {
    put({ key: p256 }, { key: other }, { key: other, disabled: true })
    for (const word of ['versions', 'cryptoKeyVersions'])
      assert.equal(await pemOf(`${GOOGLE}/${word}/1`), publicKeyToPem(p256.publicKey))
    assert.ok(services.requests.every((line) => !line.endsWith('/cryptoKeyVersions')))
    await refused(fetchKey(`${GOOGLE}/versions/3`), 'KMS_KEY_USAGE')
    await refused(fetchKey(`${GOOGLE}/versions/4`), 'KMS_NOT_FOUND')
  })

  test('no version that is enabled', async () => {
    put({ key: p256, disabled: true })
    await refused(fetchKey(GOOGLE), 'KMS_KEY_USAGE')
  })

  for (const [name, list] of [
    ['of another key', { cryptoKeyVersions: [{ name: 'projects/evil/cryptoKeyVersions/1', state: 'ENABLED' }] }],
    ['with paths', { cryptoKeyVersions: [{ name: `${GOOGLE_KEY}/cryptoKeyVersions/1/../2`, state: 'ENABLED' }] }],
    ['that is none', { cryptoKeyVersions: {} }],
    ['of nothing', { cryptoKeyVersions: [null] }],
    ['that never ends', { cryptoKeyVersions: [], nextPageToken: 'again' }],
  ] as const) {
    test(`refuses a list ${name}`, async () => {
      bench.answer(() => Response.json(list))
      await refused(fetchKey(GOOGLE), 'KMS_RESPONSE')
    })
  }

  test('refuses another version than was asked for, and a key that is not one', async () => {
    const answer = (more: object): void => {
      bench.answer(() =>
        Response.json({ algorithm: 'EC_SIGN_P256_SHA256', pem: publicKeyToPem(p256.publicKey), ...more }),
      )
    }
    answer({ name: `${GOOGLE_KEY}/cryptoKeyVersions/2` })
    await refused(fetchKey(`${GOOGLE}/versions/1`), 'KMS_RESPONSE')
    answer({ pem: 'x' })
    await refused(fetchKey(`${GOOGLE}/versions/1`), 'KMS_RESPONSE')
    answer({ pem: PEM_256K1 })
    await refused(fetchKey(`${GOOGLE}/versions/1`), 'KMS_KEY_TYPE')
  })

  test('nobody to it', async () => {
    services.override = (request) => (isTokenUrl(request.url) ? new Response('no', { status: 404 }) : undefined)
    await refused(fetchKey(GOOGLE), 'KMS_CREDENTIALS')
  })
})
