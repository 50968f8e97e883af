import assert from 'node:assert/strict'
import { verify as nodeVerify } from 'node:crypto'
import { test } from 'node:test'
import { ed25519ph } from '@noble/curves/ed25519.js'
import { decodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { AlgorithmName } from './algorithms.js'
import { ALGORITHMS } from './algorithms.js'
import { digest } from './digest.js'
import { generatePrivateKey, privateKeyFromPem, privateKeyFromPkcs8, privateKeyToPem } from './private-key.js'
import { keyObjectOf, parsePublicKey, publicKeyFromPem, publicKeyToPem } from './public-key.js'
import { verifyDigestSignature, verifySignature } from './verify.js'

const MESSAGE = encodeUtf8('the message')

async function* inPieces(message: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < message.length; i += 4) yield message.subarray(i, i + 4)
}

for (const scheme of Object.values(ALGORITHMS)) {
  test(`${scheme.name}: signs, verifies, and refuses another message, key and signature`, async () => {
    const key = await generatePrivateKey(scheme.name)
    const signature = await key.sign(MESSAGE)
    const check = { key: key.publicKey, scheme, signature }
    assert.equal(await verifySignature(check, MESSAGE), true)
    assert.equal(await verifySignature(check, encodeUtf8('another message')), false)
    const other = await generatePrivateKey(scheme.name)
    assert.equal(await verifySignature({ ...check, key: other.publicKey }, MESSAGE), false)
    const changed = Uint8Array.from(signature)
    changed[10] = (changed[10] ?? 0) ^ 1
    assert.equal(await verifySignature({ ...check, signature: changed }, MESSAGE), false)
    assert.equal(await verifySignature({ ...check, signature: signature.subarray(1) }, MESSAGE), false)
    assert.equal(await verifySignature({ ...check, signature: new Uint8Array() }, MESSAGE), false)
  })

  test(`${scheme.name}: a stream gives a signature that verifies over the whole`, async () => {
    const key = await generatePrivateKey(scheme.name)
    const signature = await key.sign(inPieces(MESSAGE))
    assert.equal(await verifySignature({ key: key.publicKey, scheme, signature }, MESSAGE), true)
  })
}

const FROM_DIGEST: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'ecdsa-sha2-256-nistp384',
  'rsa-sign-pkcs1-2048-sha256',
  'ed25519-ph',
]

for (const name of FROM_DIGEST) {
  test(`${name}: verifies from the digest alone`, async () => {
    const key = await generatePrivateKey(name)
    const { algorithm } = key
    const hash = digest(algorithm.digest ?? 'sha512', MESSAGE)
    const check = { key: key.publicKey, scheme: algorithm, signature: await key.sign(MESSAGE) }
    assert.equal(await verifyDigestSignature(check, hash), true)
    assert.equal(
      await verifyDigestSignature(
        check,
        hash.map((byte) => byte ^ 1),
      ),
      false,
    )
    assert.equal(
      await verifyDigestSignature({ ...check, signature: check.signature.map((byte) => byte ^ 1) }, hash),
      false,
    )
    assert.equal(await verifyDigestSignature({ ...check, signature: new Uint8Array() }, hash), false)
    await assert.rejects(verifyDigestSignature(check, hash.subarray(1)), { code: 'KEY_DIGEST_SIZE' })
  })
}

for (const name of ['ed25519', 'ml-dsa-65', 'rsa-sign-pss-2048-sha256'] as const) {
  test(`${name}: cannot be verified from a digest and says so`, async () => {
    const key = await generatePrivateKey(name)
    const check = { key: key.publicKey, scheme: key.algorithm, signature: await key.sign(MESSAGE) }
    await assert.rejects(verifyDigestSignature(check, digest('sha256', MESSAGE)), { code: 'KEY_DIGEST_UNSUPPORTED' })
  })
}

test('a key is never used with an algorithm that is not its own', async () => {
  const { publicKey: key } = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const signature = new Uint8Array(64)
  for (const scheme of [
    ALGORITHMS['ecdsa-sha2-384-nistp384'],
    ALGORITHMS.ed25519,
    { family: 'rsa-pkcs1', digest: 'sha256' },
  ] as const) {
    await assert.rejects(verifySignature({ key, scheme, signature }, MESSAGE), { code: 'KEY_ALGORITHM_MISMATCH' })
  }
})

test('an RSA key of 3072 bits is refused where the registry asks for 2048', async () => {
  const { publicKey: key } = await generatePrivateKey('rsa-sign-pkcs1-3072-sha256')
  const scheme = ALGORITHMS['rsa-sign-pkcs1-2048-sha256']
  await assert.rejects(verifySignature({ key, scheme, signature: new Uint8Array(384) }, MESSAGE), {
    code: 'KEY_ALGORITHM_MISMATCH',
  })
})

test('Ed25519ph: the vector of RFC 8032 §7.3', async () => {
  const seed = decodeHex('833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42')
  const pkcs8 = new Uint8Array([...decodeHex('302e020100300506032b657004220420'), ...seed])
  const key = privateKeyFromPkcs8(pkcs8, ALGORITHMS['ed25519-ph'])
  const expected = decodeHex(
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  )
  assert.deepEqual(await key.sign(encodeUtf8('abc')), expected)
  assert.equal(ed25519ph.verify(expected, encodeUtf8('abc'), key.publicKey.raw), true)
})

test('a plain Ed25519 signature is no Ed25519ph signature, nor the other way round', async () => {
  const key = await generatePrivateKey('ed25519')
  const ph = key.withAlgorithm(ALGORITHMS['ed25519-ph'])
  const pure = { key: key.publicKey, scheme: key.algorithm, signature: await key.sign(MESSAGE) }
  const prehashed = { key: key.publicKey, scheme: ph.algorithm, signature: await ph.sign(MESSAGE) }
  assert.equal(await verifySignature({ ...prehashed, signature: pure.signature }, MESSAGE), false)
  assert.equal(await verifySignature({ ...pure, signature: prehashed.signature }, MESSAGE), false)
})

for (const name of ['ecdsa-sha2-256-nistp256', 'rsa-sign-pkcs1-2048-sha256', 'ed25519'] as const) {
  test(`${name}: keys survive PEM, and OpenSSL agrees with their signatures`, async () => {
    const key = await generatePrivateKey(name)
    const again = privateKeyFromPem(privateKeyToPem(key))
    assert.deepEqual(again.publicKey.spki, key.publicKey.spki)
    assert.deepEqual(publicKeyFromPem(publicKeyToPem(key.publicKey)).spki, key.publicKey.spki)
    const hash = key.algorithm.digest ?? null
    assert.equal(nodeVerify(hash, MESSAGE, keyObjectOf(key.publicKey), await again.sign(MESSAGE)), true)
  })
}

test('ML-DSA public keys are read from their SubjectPublicKeyInfo', async () => {
  const { publicKey } = await generatePrivateKey('ml-dsa-65')
  assert.equal(parsePublicKey(publicKey.spki).keyType, 'ml-dsa-65')
})
