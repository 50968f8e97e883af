import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { VAULT_TOKEN } from '#testing/kms/fake-services'
import { LOGINS } from '#testing/kms/key-services'
import { openKmsBench, PEM_256K1, refused, VAULT } from '#testing/kms/kms-bench'

const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const ed25519 = await generatePrivateKey('ed25519')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf, createKey } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

describe('Vault', () => {
  const answer = (data: object): void => {
    services.override = () => Response.json({ data })
  }
  const version = { public_key: publicKeyToPem(p256.publicKey), name: 'P-256' }

  for (const [name, data, code] of [
    ['a version that is not there', { type: 'ecdsa-p256', latest_version: 2, keys: { 1: version } }, 'KMS_RESPONSE'],
    ['a version that is no number', { type: 'ecdsa-p256', latest_version: '1', keys: { 1: version } }, 'KMS_RESPONSE'],
    ['a name of the prototype', { type: 'ecdsa-p256', latest_version: 'constructor', keys: {} }, 'KMS_RESPONSE'],
    [
      'a key of a type that is new',
      { type: 'ml-dsa', latest_version: 1, keys: {}, supports_signing: true },
      'KMS_KEY_TYPE',
    ],
    ['a key for encryption', { type: 'aes256-gcm96', latest_version: 1, keys: { 1: 1 } }, 'KMS_KEY_USAGE'],
    [
      'a key of Ed25519 that is short',
      { type: 'ed25519', latest_version: 1, keys: { 1: { public_key: 'AAAA' } } },
      'KMS_RESPONSE',
    ],
    [
      'a key on secp256k1',
      { type: 'ecdsa-p256', latest_version: 1, keys: { 1: { public_key: PEM_256K1 } } },
      'KMS_KEY_TYPE',
    ],
  ] as const) {
    test(`refuses ${name}`, async () => {
      answer(data)
      await refused(fetchKey(VAULT), code)
    })
  }

  for (const [name, env, code] of [
    ['no address', { VAULT_TOKEN }, 'KMS_SETTINGS'],
    ['an address that is a file', { VAULT_ADDR: 'file:///x', VAULT_TOKEN }, 'KMS_SETTINGS'],
    ['a path that climbs', { ...LOGINS, TRANSIT_SECRET_ENGINE_PATH: '../sys' }, 'KMS_SETTINGS'],
    ['a path with a question', { ...LOGINS, TRANSIT_SECRET_ENGINE_PATH: 'a?b' }, 'KMS_SETTINGS'],
    ['a namespace with a line break', { ...LOGINS, VAULT_NAMESPACE: 'a\nb: c' }, 'KMS_SETTINGS'],
    ['no token', { VAULT_ADDR: 'http://vault.test' }, 'KMS_CREDENTIALS'],
    ['a token with a line break', { ...LOGINS, VAULT_TOKEN: 'vault-secret-word\nx: y' }, 'KMS_CREDENTIALS'],
    ['a token that it does not know', { ...LOGINS, VAULT_TOKEN: 'session-word' }, 'KMS_DENIED'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      put({ key: p256 })
      await refused(fetchKey(VAULT, { env }), code)
    })
  }

  test('the newest version, of Ed25519 too', async () => {
    put({ key: other }, { key: p256 })
    assert.equal(await pemOf('openbao://cosign'), publicKeyToPem(p256.publicKey))
    put({ key: ed25519, algorithm: 'ed25519' })
    assert.equal(await pemOf(VAULT), publicKeyToPem(ed25519.publicKey))
  })

  test('engine, namespace and the token of the file; OpenBao’s names for them', async () => {
    services.keys.vault.set('team/v1/secrets/transit-2/cosign', [{ key: p256 }])
    const env = {
      BAO_ADDR: 'http://vault.test/',
      BAO_NAMESPACE: 'team',
      TRANSIT_SECRET_ENGINE_PATH: '/secrets/transit-2/',
    }
    const vaultTokenFile = (): Promise<string> => Promise.resolve(`${VAULT_TOKEN}\n`)
    assert.equal(await pemOf(VAULT, { env, vaultTokenFile }), publicKeyToPem(p256.publicKey))
    assert.deepEqual(services.requests, ['GET vault.test/v1/secrets/transit-2/keys/cosign'])
  })
})

describe('making a key at Vault', () => {
  test('an engine that is not there', async () => {
    const env = {
      VAULT_ADDR: 'http://vault.test',
      VAULT_TOKEN: 'vault-secret-word',
      TRANSIT_SECRET_ENGINE_PATH: 'other',
    }
    await refused(createKey(VAULT, undefined, { env }), 'KMS_NOT_FOUND')
  })

  test('older ones say nothing when they have made a key', async () => {
    bench.answer((request) => {
      if (request.method !== 'POST') return undefined
      services.keys.vault.set('cosign', [{ key: p384, algorithm: 'ecdsa-p384' }])
      return new Response(null, { status: 204 })
    })
    const { key, origin } = await createKey(VAULT)
    assert.deepEqual([origin, key.publicKey.keyType], ['created', 'ec-p384'])
  })
})
