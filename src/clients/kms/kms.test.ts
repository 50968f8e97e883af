import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { AWS_LOGIN, AZURE_TOKEN, GOOGLE_TOKEN, VAULT_TOKEN } from '#testing/kms/fake-services'
import { ALL, AZURE, GOOGLE, isTokenUrl, openKmsBench, refused, unreachable, VAULT } from '#testing/kms/kms-bench'
import { fetchKmsKey, openKmsSigner } from './kms.js'
import type { KmsPorts } from './kms-key.js'

const SECRETS = [AWS_LOGIN.AWS_SECRET_ACCESS_KEY, GOOGLE_TOKEN, AZURE_TOKEN, VAULT_TOKEN]
const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

for (const [name, uri] of Object.entries(ALL)) {
  describe(`${name} refuses`, () => {
    test('a key that is not there', async () => {
      await refused(fetchKey(uri), 'KMS_NOT_FOUND')
    })

    test('a key for encryption', async () => {
      put({ key: rsa, usage: 'encrypt' })
      await refused(fetchKey(uri), 'KMS_KEY_USAGE')
    })

    test('an answer that is too large', async () => {
      bench.answer(() => new Response(new Uint8Array(3 << 20)))
      await refused(fetchKey(uri), 'KMS_RESPONSE')
    })

    test('a redirect, whose target sees nothing', async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        services.requests.length = 0
        bench.answer(() => new Response(null, { status, headers: { location: 'http://elsewhere.test/' } }))
        await refused(fetchKey(uri), 'KMS_RESPONSE')
        assert.ok(services.requests.every((line) => !line.includes('elsewhere')))
      }
    })

    for (const [status, code] of [
      [401, 'KMS_CREDENTIALS'],
      [403, 'KMS_DENIED'],
      [404, 'KMS_NOT_FOUND'],
      [400, 'KMS_REFUSED'],
      [429, 'KMS_UNREACHABLE'],
      [500, 'KMS_UNREACHABLE'],
      [503, 'KMS_UNREACHABLE'],
    ] as const) {
      test(`as ${code} what has status ${String(status)}, whatever its text says`, async () => {
        bench.answer(() => new Response(`${SECRETS.join(' ')} <html>`, { status }))
        await refused(fetchKey(uri), code, `status ${String(status)}`)
      })
    }

    for (const body of ['', '<html>', '[]', 'null', '"x"', '{}', '{"data":{}}', '{"key":{}}', '{"error":"x"}']) {
      test(`the answer ${JSON.stringify(body)}`, async () => {
        bench.answer(() => new Response(body))
        // A list without versions is one: of a key of which none is enabled.
        await refused(fetchKey(uri), uri === GOOGLE && body.startsWith('{') ? 'KMS_KEY_USAGE' : 'KMS_RESPONSE')
      })
    }

    test('what nobody answers', async () => {
      await services
        .ports()
        .fetch('http://x/')
        .catch(() => undefined)
      const gone: KmsPorts['fetch'] = async (address, init) =>
        isTokenUrl(address) ? await services.fetch(address, init) : await unreachable(address)
      await refused(fetchKey(uri, { fetch: gone, vaultFetch: gone }), 'KMS_UNREACHABLE')
    })

    test('an asker who gave up, with another code', async () => {
      const ports = services.ports()
      const signal = AbortSignal.abort()
      await assert.rejects(fetchKmsKey(ports, uri, signal), { code: 'HTTP_ABORTED' })
    })
  })

  describe(`${name} gives`, () => {
    test('the key', async () => {
      put({ key: p256 })
      assert.equal(await pemOf(uri), publicKeyToPem(p256.publicKey))
    })

    test('a key that signs, and whose signatures verify', async () => {
      put({ key: other }, { key: p256 })
      const signer = await openKmsSigner(services.ports(), uri, new AbortController().signal)
      const message = encodeUtf8('message')
      const signature = await signer.sign(message)
      assert.ok(await verifySignature({ key: p256.publicKey, scheme: signer.algorithm, signature }, message))
      const streamed = await signer.sign(
        (async function* () {
          yield message.subarray(0, 3)
          yield message.subarray(3)
        })(),
      )
      assert.ok(
        await verifySignature({ key: signer.publicKey, scheme: signer.algorithm, signature: streamed }, message),
      )
    })
  })
}

describe('signing', () => {
  const message = encodeUtf8('message')
  const open = (uri: string): ReturnType<typeof openKmsSigner> =>
    openKmsSigner(services.ports(), uri, new AbortController().signal)

  for (const [name, uri] of Object.entries(ALL)) {
    test(`${name}: other curves and RSA`, async () => {
      for (const [key, google, vault] of [
        [p384, 'EC_SIGN_P384_SHA384', 'ecdsa-p384'],
        [rsa, 'RSA_SIGN_PKCS1_2048_SHA256', 'rsa-2048'],
      ] as const) {
        put({ key, algorithm: uri === GOOGLE ? google : vault })
        const signer = await open(uri)
        const signature = await signer.sign(message)
        assert.ok(await verifySignature({ key: key.publicKey, scheme: key.algorithm, signature }, message))
      }
    })

    test(`${name}: a signature that is none is an error`, async () => {
      put({ key: p256 })
      const signer = await open(uri)
      for (const text of ['%%', '', 'vault:v1:%%', 'vault:v9:AAAA']) {
        bench.answer(() => Response.json({ Signature: text, signature: text, value: text, data: { signature: text } }))
        const outcome = await signer
          .sign(message)
          .catch((error: unknown) => (isCodedError(error) ? error.code : String(error)))
        // Where the form says nothing, the self-check of signing does.
        assert.ok(
          outcome === 'KMS_RESPONSE' || (text === '' && outcome instanceof Uint8Array && outcome.length === 0),
          text,
        )
      }
    })
  }

  test('the version is the one whose key is known, although another is the newest by then', async () => {
    for (const uri of [GOOGLE, AZURE, VAULT]) {
      put({ key: p256 })
      const signer = await open(uri)
      put({ key: p256 }, { key: other })
      const signature = await signer.sign(message)
      assert.ok(await verifySignature({ key: p256.publicKey, scheme: signer.algorithm, signature }, message))
    }
  })
})
