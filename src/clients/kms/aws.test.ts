import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import { ARN, AWS_LOGIN } from '#testing/kms/fake-services'
import { LOGINS } from '#testing/kms/key-services'
import { AWS, ID, openKmsBench, refused, SECP256K1 } from '#testing/kms/kms-bench'

const p256 = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

describe('AWS', () => {
  const answer = (body: unknown, status = 200): void => {
    services.override = () => Response.json(body, { status })
  }
  const given = (more: object): object => ({
    KeyId: `${ARN}${ID}`,
    KeyUsage: 'SIGN_VERIFY',
    PublicKey: encodeBase64(p256.publicKey.spki),
    ...more,
  })

  for (const [name, body, code] of [
    ['another key than was asked for', given({ KeyId: `${ARN}00000000-12ab-34cd-56ef-1234567890ab` }), 'KMS_RESPONSE'],
    ['a key for message authentication', given({ KeyUsage: 'GENERATE_VERIFY_MAC' }), 'KMS_KEY_USAGE'],
    ['a key to agree on keys', given({ KeyUsage: 'KEY_AGREEMENT' }), 'KMS_KEY_USAGE'],
    ['a key without a use', given({ KeyUsage: undefined }), 'KMS_RESPONSE'],
    ['a key on secp256k1', given({ PublicKey: SECP256K1 }), 'KMS_KEY_TYPE'],
    ['a key that is no base64', given({ PublicKey: '%%' }), 'KMS_RESPONSE'],
    ['a key that is no DER', given({ PublicKey: 'AAAA' }), 'KMS_RESPONSE'],
    ['a point beside the curve', given({ PublicKey: offCurve() }), 'KMS_RESPONSE'],
  ] as const) {
    test(`refuses ${name}`, async () => {
      answer(body)
      await refused(fetchKey(AWS), code)
    })
  }

  for (const [type, code] of [
    ['AccessDeniedException', 'KMS_DENIED'],
    ['com.amazonaws.kms#NotFoundException', 'KMS_NOT_FOUND'],
    ['DisabledException', 'KMS_KEY_USAGE'],
    ['KMSInvalidStateException', 'KMS_KEY_USAGE'],
    ['UnsupportedOperationException', 'KMS_KEY_TYPE'],
    ['UnrecognizedClientException', 'KMS_CREDENTIALS'],
    ['ExpiredTokenException', 'KMS_CREDENTIALS'],
    ['ThrottlingException', 'KMS_UNREACHABLE'],
    ['aws-secret-word x', 'KMS_REFUSED'],
  ] as const) {
    test(`says ${type}: ${code}`, async () => {
      answer({ __type: type, message: 'aws-secret-word' }, 400)
      await refused(fetchKey(AWS), code)
    })
  }

  test('does not take the word of a wrong secret', async () => {
    put({ key: p256 })
    await refused(fetchKey(AWS, { env: { ...LOGINS, AWS_SECRET_ACCESS_KEY: 'another' } }), 'KMS_CREDENTIALS')
  })

  test('nobody to it, and no region', async () => {
    await refused(
      fetchKey(AWS, { env: { AWS_REGION: 'eu-central-1', AWS_EC2_METADATA_DISABLED: 'true' } }),
      'KMS_CREDENTIALS',
    )
    await refused(fetchKey(AWS, { env: AWS_LOGIN }), 'KMS_SETTINGS')
    await refused(fetchKey(AWS, { env: { ...AWS_LOGIN, AWS_REGION: 'evil.example/' } }), 'KMS_SETTINGS')
    assert.deepEqual(services.requests, [])
  })

  test('a policy sends no login to a host that it names itself', async () => {
    put({ key: p256 })
    for (const host of [
      ...['evil.example', 'kms.evil.example', 'x.execute-api.eu-central-1.amazonaws.com', 'kms.s3.amazonaws.com'],
      ...['kms.eu-central-1.amazonaws.com.evil.example', 'kms.eu-central-1.amazonaws.com:8443', '169.254.169.254'],
    ])
      await refused(fetchKey(`awskms://${host}/${ID}`, { endpoints: 'known' }), 'KMS_URI', host)
    assert.deepEqual(services.requests, [])
  })

  test('a policy may name AWS’ own hosts, and those of the environment', async () => {
    put({ key: p256 })
    const wanted = publicKeyToPem(p256.publicKey)
    const endpoints = 'known'
    assert.equal(await pemOf(`awskms://kms.us-east-2.amazonaws.com/${ID}`, { endpoints, env: AWS_LOGIN }), wanted)
    const env = { ...LOGINS, AWS_ENDPOINT_URL_KMS: 'http://kms.test' }
    assert.equal(await pemOf(`awskms://kms.test/${ID}`, { endpoints, env }), wanted)
    assert.equal(await pemOf(AWS, { endpoints, env }), wanted)
    assert.deepEqual(services.requests, ['POST kms.us-east-2.amazonaws.com/', 'POST kms.test/', 'POST kms.test/'])
    await refused(fetchKey(AWS, { env: { ...LOGINS, AWS_ENDPOINT_URL: 'file:///x' } }), 'KMS_SETTINGS')
  })

  test('whoever writes the address on their own command line may name any host', async () => {
    put({ key: p256 })
    assert.equal(await pemOf(`awskms://kms.test/${ID}`), publicKeyToPem(p256.publicKey))
  })

  test('the region is that of the ARN', async () => {
    put({ key: p256 })
    for (const name of [`key/${ID}`, 'alias/team/cosign'])
      assert.equal(await pemOf(`awskms:///arn:aws:kms:us-east-2:111122223333:${name}`), publicKeyToPem(p256.publicKey))
    assert.deepEqual(new Set(services.requests), new Set(['POST kms.us-east-2.amazonaws.com/']))
  })

  test('a key for ML-DSA', async () => {
    const key = await generatePrivateKey('ml-dsa-65')
    put({ key })
    assert.equal(await pemOf(AWS), publicKeyToPem(key.publicKey))
  })

  test('an alias stands for the key that it points at now', async () => {
    put({ key: p256 })
    assert.equal(await pemOf('awskms:///alias/team/cosign'), publicKeyToPem(p256.publicKey))
    put({ key: other })
    assert.equal(await pemOf('awskms:///alias/team/cosign'), publicKeyToPem(other.publicKey))
  })
})

function offCurve(): string {
  const spki = p256.publicKey.spki.slice()
  spki[spki.length - 1] = (spki.at(-1) ?? 0) ^ 1
  return encodeBase64(spki)
}
