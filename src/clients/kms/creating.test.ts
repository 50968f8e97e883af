import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { encodeUtf8 } from '#encoding/utf8'
import { AZURE, GOOGLE, GOOGLE_KEY, openKmsBench, refused, VAULT } from '#testing/kms/kms-bench'
import type { KmsPorts } from './kms-key.js'

const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf, openSigner, createKey } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

const ALIAS = 'awskms:///alias/team/cosign'
const MAKEABLE = { AWS: ALIAS, GOOGLE, AZURE, VAULT }

/** What would make something: everything but reads, and questions that the services ask by POST. */
const creating = (request: Request): boolean =>
  request.method !== 'GET' && !/GetPublicKey|Sign$/.test(request.headers.get('x-amz-target') ?? '')

function failCreating(status: number): void {
  bench.answer((request) => (creating(request) ? new Response('{}', { status }) : undefined))
}

function watchCreating(): { readonly count: () => number } {
  let count = 0
  bench.answer((request) => {
    if (creating(request)) count++
    return undefined
  })
  return { count: () => count }
}

for (const [name, uri] of Object.entries(MAKEABLE)) {
  describe(`${name} makes no key`, () => {
    for (const [what, key] of [
      ['over one for encryption', { key: rsa, usage: 'encrypt' }],
      ['over one that is disabled', { key: rsa, disabled: true }],
    ] as const) {
      // Vault knows no keys that are disabled.
      if (uri === VAULT && 'disabled' in key) continue
      test(what, async () => {
        put(key)
        const watch = watchCreating()
        await refused(createKey(uri), 'KMS_KEY_USAGE')
        assert.equal(watch.count(), 0)
      })
    }

    for (const [status, code] of [
      [401, 'KMS_CREDENTIALS'],
      [403, 'KMS_DENIED'],
      [400, 'KMS_REFUSED'],
      [429, 'KMS_UNREACHABLE'],
      [503, 'KMS_UNREACHABLE'],
    ] as const) {
      test(`where reading has status ${String(status)}: whether there is one is not known`, async () => {
        let count = 0
        bench.answer((request) => {
          if (creating(request)) count++
          return new Response('{}', { status })
        })
        await refused(createKey(uri), code)
        assert.equal(count, 0)
      })

      test(`where making has status ${String(status)}`, async () => {
        services.keys.rings.add(GOOGLE_KEY.replace(/\/cryptoKeys.*/, ''))
        failCreating(status)
        await refused(createKey(uri), code)
        const { aws, google, azure, vault } = services.keys
        assert.deepEqual([aws.size, google.size, azure.size, vault.size], [0, 0, 0, 0])
      })
    }

    for (const body of ['', '<html>', '[]', 'null', '"x"', '{}', '{"KeyMetadata":{"Arn":"x"}}', '{"key":{}}']) {
      test(`of the answer ${JSON.stringify(body)}`, async () => {
        bench.answer((request) => (creating(request) ? new Response(body) : undefined))
        // Vault may answer with nothing, and at Google nothing of it is needed; then the key is not found there.
        const unread = uri === VAULT || (uri === GOOGLE && body.startsWith('{'))
        await refused(createKey(uri), unread ? 'KMS_NOT_FOUND' : 'KMS_RESPONSE')
      })
    }

    test('for an asker who gave up', async () => {
      const { createKmsKey } = await import('./kms.js')
      const ask = { algorithm: undefined, signal: AbortSignal.abort() }
      await assert.rejects(createKmsKey(services.ports(), uri, ask), { code: 'HTTP_ABORTED' })
    })
  })

  describe(`${name} makes`, () => {
    test('a key for P-256, which is found by its address, signs, and is left alone the next time', async () => {
      const { key, origin } = await createKey(uri)
      assert.deepEqual([origin, key.publicKey.keyType], ['created', 'ec-p256'])
      const pem = publicKeyToPem(key.publicKey)
      assert.equal(await pemOf(uri), pem)
      const signer = await openSigner(uri)
      const message = encodeUtf8('message')
      const signature = await signer.sign(message)
      assert.ok(await verifySignature({ key: key.publicKey, scheme: signer.algorithm, signature }, message))
      const watch = watchCreating()
      const again = await createKey(uri)
      assert.deepEqual([again.origin, publicKeyToPem(again.key.publicKey)], ['existing', pem])
      assert.equal(again.key.name, key.name)
      assert.equal(watch.count(), 0)
    })

    test('what was asked for', async () => {
      const { key } = await createKey(uri, 'ecdsa-sha2-384-nistp384')
      assert.equal(key.publicKey.keyType, 'ec-p384')
      assert.equal(await pemOf(uri), publicKeyToPem(key.publicKey))
    })

    test('RSA', async () => {
      const { key } = await createKey(uri, 'rsa-sign-pkcs1-3072-sha256')
      assert.equal(key.publicKey.keyBits, 3072)
    })

    test('nothing where there is a key for something else: it is told, or taken where nothing was said', async () => {
      put({ key: p384, algorithm: uri === GOOGLE ? 'EC_SIGN_P384_SHA384' : 'ecdsa-p384' })
      const watch = watchCreating()
      await refused(createKey(uri, 'ecdsa-sha2-256-nistp256'), 'KMS_KEY_TYPE')
      await refused(createKey(uri, 'rsa-sign-pkcs1-3072-sha256'), 'KMS_KEY_TYPE')
      assert.equal((await createKey(uri, 'ecdsa-sha2-384-nistp384')).origin, 'existing')
      const { key, origin } = await createKey(uri)
      assert.deepEqual([origin, publicKeyToPem(key.publicKey)], ['existing', publicKeyToPem(p384.publicKey)])
      assert.equal(watch.count(), 0)
    })
  })
}

describe('without asking anybody', () => {
  for (const [uri, found] of [
    ['awskms:///1234abcd-12ab-34cd-56ef-1234567890ab', '1234abcd-12ab-34cd-56ef-1234567890ab'],
    ['awskms:///mrk-1234abcd12ab34cd56ef1234567890ab', 'mrk-1234abcd12ab34cd56ef1234567890ab'],
    [
      'awskms:///arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      'arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    ],
    ['awskms:///alias/aws/s3', 'alias/aws/s3'],
    ['awskms:///arn:aws:kms:us-east-2:111122223333:alias/aws/s3', 'arn:aws:kms:us-east-2:111122223333:alias/aws/s3'],
    [`${GOOGLE}/versions/1`, 'version 1'],
    [`${GOOGLE}/cryptoKeyVersions/7`, 'version 7'],
    [`${AZURE}/123abc`, 'version 123abc'],
    ['azurekms://evil.example/cosign', 'evil.example'],
    ['awskms://alias/x', 'awskms://alias/x'],
    ['https://example.com', 'https://example.com'],
  ] as const) {
    test(`there is nothing to make at ${uri}`, async () => {
      await refused(createKey(uri), 'KMS_URI', found)
      assert.deepEqual(services.requests, [])
    })
  }

  for (const [uri, algorithm] of [
    [GOOGLE, 'ecdsa-sha2-512-nistp521'],
    [GOOGLE, 'ml-dsa-65'],
    [AZURE, 'ed25519'],
    [AZURE, 'rsa-sign-pss-3072-sha256'],
    [VAULT, 'ml-dsa-65'],
    [VAULT, 'ed25519-ph'],
    [ALIAS, 'ed25519-ph'],
    [ALIAS, 'ecdsa-sha2-256-nistp384'],
  ] as const) {
    test(`${uri.slice(0, 12)} is known not to make keys for ${algorithm}`, async () => {
      await refused(createKey(uri, algorithm), 'KMS_ALGORITHM', algorithm)
      assert.deepEqual(services.requests, [])
    })
  }
})

test('a request that may have made a version is not sent twice, nor one that makes a key of AWS', async () => {
  const sent: (boolean | undefined)[] = []
  const fetch: KmsPorts['fetch'] = async (address, init) => {
    const target = init?.headers?.['x-amz-target'] ?? ''
    if (/\/create\?/.test(address) || /Create/.test(target)) sent.push(init?.repeatable)
    return await services.fetch(address, init)
  }
  await createKey(AZURE, undefined, { fetch })
  await createKey(ALIAS, undefined, { fetch })
  assert.deepEqual(sent, [false, false, false])
})

test('Ed25519 at Vault, Google and AWS', async () => {
  for (const uri of [VAULT, GOOGLE, ALIAS]) {
    const { key } = await createKey(uri, 'ed25519')
    assert.equal(key.publicKey.keyType, 'ed25519')
    assert.equal((await fetchKey(uri)).publicKey.keyType, 'ed25519')
  }
})
