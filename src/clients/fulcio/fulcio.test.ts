import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey, type PrivateKey } from '#crypto/private-key'
import { encodeBase64 } from '#encoding/base64'
import { encodePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { fakeNetwork, json, type FakeAnswer } from '#testing/fake-fetch'
import { startVirtualSigstore } from '#testing/virtual-sigstore'
import { fetchTrustBundle, requestCertificate, type IssuedCertificate } from './fulcio.js'

const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2VjcmV0'
const LEAF = encodePem('CERTIFICATE', Uint8Array.of(1, 2, 3)).trim()

async function ask(answer: FakeAnswer, key?: PrivateKey): Promise<IssuedCertificate> {
  const { fetch } = fakeNetwork(() => answer)
  const { publicKey } = key ?? (await generatePrivateKey('ecdsa-sha2-256-nistp256'))
  const request = { identityToken: TOKEN, publicKey, proofOfPossession: Uint8Array.of(1) }
  return await requestCertificate({ fetch, baseUrl: 'https://fulcio.example/' }, request)
}

test('a certificate is issued for the token’s identity', async () => {
  const world = await startVirtualSigstore()
  const service = { fetch: world.fetch, baseUrl: world.url }
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const identityToken = await world.token('alice@example.com')
  const proofOfPossession = await key.sign(encodeUtf8('alice@example.com'))
  const { chain, detachedSct } = await requestCertificate(service, {
    identityToken,
    publicKey: key.publicKey,
    proofOfPossession,
  })
  assert.deepEqual(parseCertificate(chain[0]).spki, key.publicKey.spki)
  assert.equal(detachedSct, undefined)
  const [bundle] = await fetchTrustBundle(service)
  assert.deepEqual(bundle?.at(-1), chain.at(-1))
  const wrong = { identityToken, publicKey: key.publicKey, proofOfPossession: await key.sign(encodeUtf8('mallory')) }
  await assert.rejects(requestCertificate(service, wrong), { code: 'FULCIO_REQUEST_REFUSED' })
  const foreign = { identityToken: TOKEN, publicKey: key.publicKey, proofOfPossession }
  await assert.rejects(requestCertificate(service, foreign), { code: 'FULCIO_IDENTITY_REFUSED' })
  await world.close()
})

test('a detached timestamp comes along', async () => {
  const chain = { certificates: [LEAF] }
  const signedCertificateTimestamp = encodeBase64(encodeUtf8('{}'))
  const issued = await ask(json({ signedCertificateDetachedSct: { chain, signedCertificateTimestamp } }))
  assert.deepEqual(issued.detachedSct, encodeUtf8('{}'))
})

for (const [answer, code] of [
  [json({ code: 3, message: 'There was an error processing the identity token' }, 400), 'FULCIO_IDENTITY_REFUSED'],
  [{ status: 401 }, 'FULCIO_IDENTITY_REFUSED'],
  [json({ code: 3, message: 'The public key supplied in the request is insecure' }, 400), 'FULCIO_REQUEST_REFUSED'],
  [{ status: 404, body: 'not found' }, 'FULCIO_REQUEST_REFUSED'],
  [json({ code: 13, message: 'Error entering certificate in CTL' }, 500), 'FULCIO_UNAVAILABLE'],
  [{ status: 429 }, 'FULCIO_UNAVAILABLE'],
  [{ status: 503, body: `echo ${TOKEN}` }, 'FULCIO_UNAVAILABLE'],
] as const) {
  test(`${JSON.stringify(answer).slice(0, 80)} is ${code}, with the reason and without the token`, async () => {
    await assert.rejects(ask(answer), (error: unknown) => {
      assert.ok(isCodedError(error))
      assert.equal(error.code, code)
      assert.ok(!JSON.stringify([error.message, error.found, error.hint]).includes('c2VjcmV0'))
      return true
    })
  })
}

for (const answer of [
  {},
  [],
  { signedCertificateEmbeddedSct: {} },
  { signedCertificateEmbeddedSct: { chain: { certificates: [] } } },
  { signedCertificateEmbeddedSct: { chain: { certificates: ['hello'] } } },
  { signedCertificateEmbeddedSct: { chain: { certificates: [7] } } },
  { signedCertificateEmbeddedSct: { chain: { certificates: [`${LEAF}\n${LEAF}`] } } },
  { signedCertificateEmbeddedSct: { chain: { certificates: [LEAF.replaceAll('CERTIFICATE', 'PUBLIC KEY')] } } },
  { signedCertificateEmbeddedSct: { chain: { certificates: [LEAF] } }, signedCertificateDetachedSct: { chain: {} } },
  { signedCertificateDetachedSct: { chain: { certificates: [LEAF] }, signedCertificateTimestamp: '!' } },
]) {
  test(`${JSON.stringify(answer).slice(0, 80)} is no certificate`, async () => {
    await assert.rejects(ask(json(answer)), { code: 'FULCIO_RESPONSE' })
  })
}

test('an answer that is no JSON is told of', async () => {
  await assert.rejects(ask({ body: '<html>' }), { code: 'HTTP_JSON' })
})
