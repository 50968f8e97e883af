import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { ALGORITHMS } from '#crypto/algorithms'
import { generatePrivateKey } from '#crypto/private-key'
import { verifySignature } from '#crypto/verify'
import { encodeUtf8 } from '#encoding/utf8'
import { AWS, AZURE, GOOGLE, openKmsBench, refused, VAULT } from '#testing/kms/kms-bench'

const key = await generatePrivateKey('ed25519')
const mlDsa = await generatePrivateKey('ml-dsa-65')
const bench = await openKmsBench()
const { services, put, openSigner } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

const putEd25519 = (uri: string): void => {
  put({ key, algorithm: uri === GOOGLE ? 'EC_SIGN_ED25519' : 'ed25519' })
}

async function* chunks(total: number, size = 1000): AsyncGenerator<Uint8Array> {
  for (let rest = total; rest > 0; rest -= size) {
    yield await Promise.resolve(new Uint8Array(Math.min(rest, size)).fill(7))
  }
}

test('Azure has no keys that sign messages, and what says so is not used', async () => {
  putEd25519(AZURE)
  await refused(openSigner(AZURE), 'KMS_KEY_TYPE')
})

for (const [name, uri, limit] of [
  ['AWS', AWS, 4096],
  ['Google', GOOGLE, 64 << 10],
  ['Vault', VAULT, 768 << 10],
] as const) {
  describe(`Ed25519 at ${name}`, () => {
    test('signs the message itself, whole or in pieces, as Ed25519 and not as Ed25519ph', async () => {
      putEd25519(uri)
      const signer = await openSigner(uri)
      assert.equal(signer.algorithm, ALGORITHMS.ed25519)
      const message = encodeUtf8('message')
      const signature = await signer.sign(message)
      const whole = { key: key.publicKey, scheme: signer.algorithm, signature }
      assert.ok(await verifySignature(whole, message))
      assert.ok(!(await verifySignature({ ...whole, scheme: ALGORITHMS['ed25519-ph'] }, message)))
      const pieces = await signer.sign(
        (async function* () {
          yield await Promise.resolve(message.subarray(0, 3))
          yield message.subarray(3)
        })(),
      )
      assert.deepEqual(pieces, signature)
    })

    test(`takes ${String(limit)} bytes, and not one more`, async () => {
      putEd25519(uri)
      const signer = await openSigner(uri)
      const message = new Uint8Array(limit).fill(7)
      for (const input of [message, chunks(limit)]) {
        const signature = await signer.sign(input)
        assert.ok(await verifySignature({ key: key.publicKey, scheme: signer.algorithm, signature }, message))
      }
      const before = services.requests.length
      await refused(signer.sign(new Uint8Array(limit + 1)), 'KMS_MESSAGE_SIZE', `${String(limit + 1)} bytes`)
      await refused(signer.sign(chunks(limit + 1)), 'KMS_MESSAGE_SIZE', 'more')
      assert.equal(services.requests.length, before, 'the service is not asked')
    })

    test('a stream that never ends is left where it is too long', async () => {
      putEd25519(uri)
      const signer = await openSigner(uri)
      let closed = false
      const endless = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield await Promise.resolve(new Uint8Array(100_000))
        } finally {
          closed = true
        }
      }
      await refused(signer.sign(endless()), 'KMS_MESSAGE_SIZE')
      assert.ok(closed)
    })

    for (const [status, code] of [
      [400, 'KMS_REFUSED'],
      [403, 'KMS_DENIED'],
      [413, 'KMS_MESSAGE_SIZE'],
    ] as const) {
      test(`says ${code} for status ${String(status)}`, async () => {
        putEd25519(uri)
        const signer = await openSigner(uri)
        bench.answer(() => new Response('{}', { status }))
        await refused(signer.sign(encodeUtf8('message')), code)
      })
    }
  })
}

test('ML-DSA at AWS', async () => {
  put({ key: mlDsa })
  const signer = await openSigner(AWS)
  const message = encodeUtf8('message')
  const signature = await signer.sign(message)
  assert.ok(await verifySignature({ key: mlDsa.publicKey, scheme: ALGORITHMS['ml-dsa-65'], signature }, message))
})
