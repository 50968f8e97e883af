import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { AZURE, openKmsBench, refused, unreachable } from '#testing/kms/kms-bench'
import type { KmsPorts } from './kms-key.js'

const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf, createKey } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

describe('Azure', () => {
  const JWK = { kid: 'https://team.vault.azure.net/keys/cosign/v1', kty: 'EC', crv: 'P-256', key_ops: ['sign'] }
  const answer = (key: object, attributes: object = { enabled: true }): void => {
    bench.answer(() => Response.json({ key, attributes }))
  }

  for (const [name, key, code] of [
    ['a key of another vault', { ...JWK, kid: 'https://evil.vault.azure.net/keys/cosign/v1' }, 'KMS_RESPONSE'],
    ['another key', { ...JWK, kid: 'https://team.vault.azure.net/keys/other/v1' }, 'KMS_RESPONSE'],
    ['a secret', { ...JWK, kid: 'https://team.vault.azure.net/secrets/cosign/v1' }, 'KMS_RESPONSE'],
    ['a key without a name', { ...JWK, kid: 'v1' }, 'KMS_RESPONSE'],
    ['a symmetric key', { ...JWK, kty: 'oct-HSM' }, 'KMS_KEY_TYPE'],
    ['a key on secp256k1', { ...JWK, crv: 'P-256K', x: 'AAAA', y: 'AAAA' }, 'KMS_KEY_TYPE'],
    ['a key without numbers', JWK, 'KMS_RESPONSE'],
    ['a point beside the curve', { ...JWK, x: 'A'.repeat(43), y: 'A'.repeat(43) }, 'KMS_RESPONSE'],
    ['a key that wraps others', { ...JWK, key_ops: ['wrapKey'] }, 'KMS_KEY_USAGE'],
    ['a key of RSA that is too short', { ...JWK, kty: 'RSA', n: 'A'.repeat(85), e: 'AQAB' }, 'KMS_RESPONSE'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      answer(key)
      await refused(fetchKey(AZURE), code)
    })
  }

  test('a key that is disabled', async () => {
    put({ key: p256, disabled: true })
    await refused(fetchKey(AZURE), 'KMS_KEY_USAGE')
  })

  test('no token goes to a host that is no vault', async () => {
    for (const host of [
      ...['evil.example', 'vault.azure.net', 'team.vault.azure.net.evil.example', 'team.evil.vault.azure.net'],
      ...['team.vault.azure.net:8443', 'user@team.vault.azure.net', 'team.blob.core.windows.net', 'localhost'],
    ])
      await refused(fetchKey(`azurekms://${host}/cosign`), 'KMS_URI', host)
    assert.deepEqual(services.requests, [])
  })

  test('a version that is named, and the newest one', async () => {
    put({ key: p256 }, { key: other })
    assert.equal(await pemOf(`${AZURE}/v1`), publicKeyToPem(p256.publicKey))
    assert.equal(await pemOf(AZURE), publicKeyToPem(other.publicKey))
    answer({ ...JWK, kid: 'https://team.vault.azure.net/keys/cosign/v2' })
    await refused(fetchKey(`${AZURE}/v1`), 'KMS_RESPONSE')
  })

  test('a token for this kind of vault, from the directory of its cloud', async () => {
    const env = { AZURE_CLIENT_ID: 'client', AZURE_TENANT_ID: 'tenant', AZURE_FEDERATED_TOKEN_FILE: '/token' }
    const forms: URLSearchParams[] = []
    const hosts: string[] = []
    const fetch: KmsPorts['fetch'] = async (address, init) => {
      const { host } = new URL(address)
      if (!host.startsWith('login.')) return await unreachable(address)
      hosts.push(host)
      forms.push(new URLSearchParams(init?.body as string))
      return await services.fetch('http://metadata.google.internal/x', { headers: { 'metadata-flavor': 'Google' } })
    }
    const readText = (): Promise<string> => Promise.resolve('jwt')
    for (const domain of ['vault.azure.net', 'managedhsm.azure.cn', 'vault.usgovcloudapi.net'])
      await refused(fetchKey(`azurekms://team.${domain}/cosign`, { env, fetch, readText }), 'KMS_UNREACHABLE')
    assert.deepEqual(
      forms.map((form) => form.get('scope')),
      [
        'https://vault.azure.net/.default',
        'https://managedhsm.azure.cn/.default',
        'https://vault.usgovcloudapi.net/.default',
      ],
    )
    assert.deepEqual(hosts, ['login.microsoftonline.com', 'login.chinacloudapi.cn', 'login.microsoftonline.us'])
  })

  test('RSA, as DER has it', async () => {
    put({ key: rsa })
    assert.equal(await pemOf(AZURE), publicKeyToPem(rsa.publicKey))
  })
})

describe('making a key at Azure', () => {
  test('a managed HSM keeps keys of its own kind', async () => {
    const uri = 'azurekms://team.managedhsm.azure.net/cosign'
    assert.equal((await createKey(uri)).origin, 'created')
    assert.equal(services.keys.azure.get('cosign')?.length, 1)
  })

  test('a name that a deleted key still has', async () => {
    bench.answer((request) =>
      request.method === 'POST' ? Response.json({ error: { code: 'Conflict' } }, { status: 409 }) : undefined,
    )
    await refused(createKey(AZURE), 'KMS_EXISTS')
  })
})
