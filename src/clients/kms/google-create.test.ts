import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { GOOGLE, GOOGLE_KEY, openKmsBench, refused } from '#testing/kms/kms-bench'

const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const bench = await openKmsBench()
const { services, put, createKey } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

describe('making a key at Google', () => {
  const [ring = ''] = GOOGLE_KEY.split('/cryptoKeys/')

  test('the key ring is made if it is missing', async () => {
    assert.equal((await createKey(GOOGLE)).origin, 'created')
    assert.deepEqual([...services.keys.rings], [ring])
  })

  test('a key ring that is there is left alone', async () => {
    services.keys.rings.add(ring)
    const before = services.requests.length
    await createKey(GOOGLE)
    assert.ok(services.requests.slice(before).every((line) => !line.endsWith('/keyRings')))
  })

  test('a key ring and a key that somebody else makes meanwhile do as well', async () => {
    bench.answer((request) => {
      const { pathname } = new URL(request.url)
      if (request.method === 'POST' && pathname.endsWith('/keyRings')) services.keys.rings.add(ring)
      if (request.method === 'POST' && pathname.endsWith('/cryptoKeys') && services.keys.rings.has(ring))
        services.keys.google.set(GOOGLE_KEY, [{ key: p384, algorithm: 'EC_SIGN_P384_SHA384' }])
      return undefined
    })
    const { key, origin } = await createKey(GOOGLE)
    assert.deepEqual([origin, publicKeyToPem(key.publicKey)], ['existing', publicKeyToPem(p384.publicKey)])
    bench.reset()
  })

  const inState = (state: unknown): void => {
    bench.answer((request) =>
      request.url.endsWith('/cryptoKeyVersions/1') ? Response.json({ state: state as string }) : undefined,
    )
  }
  for (const [state, code] of [
    ['GENERATION_FAILED', 'KMS_KEY_USAGE'],
    ['DESTROYED', 'KMS_KEY_USAGE'],
    ['PENDING_GENERATION', 'KMS_UNREACHABLE'],
    [7, 'KMS_RESPONSE'],
  ] as const) {
    test(`a first version in state ${String(state)}`, async () => {
      inState(state)
      await refused(createKey(GOOGLE), code)
    })
  }

  test('a key for RSA-PSS is not one for PKCS #1', async () => {
    put({ key: rsa, algorithm: 'RSA_SIGN_PSS_2048_SHA256' })
    await refused(createKey(GOOGLE, 'rsa-sign-pkcs1-2048-sha256'), 'KMS_KEY_TYPE', 'rsa-sign-pss-2048-sha256')
    assert.equal((await createKey(GOOGLE, 'rsa-sign-pss-2048-sha256')).origin, 'existing')
  })
})
