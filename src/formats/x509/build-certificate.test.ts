import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlgorithmName } from '#crypto/algorithms'
import { generatePrivateKey } from '#crypto/private-key'
import { openssl } from '#testing/pki/openssl'
import { TEST_TIME, intermediateSpec, issueCertificate, leafSpec, rootSpec } from '#testing/pki/certificate'
import { randomSerialNumber } from './build-certificate.js'
import { verifyCertificateSignature } from './certificate-signature.js'
import { keyIdentifier } from './extension-writers.js'
import { encodeGeneralName } from './general-name.js'
import { encodeName } from './name.js'
import { certificateToPem, parseCertificate } from './parse-certificate.js'

const ALGORITHMS: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pss-2048-sha256',
  'ed25519',
]

for (const algorithm of ALGORITHMS) {
  test(`OpenSSL accepts a chain signed with ${algorithm}`, async () => {
    const root = await issueCertificate(rootSpec({ algorithm }))
    const intermediate = await issueCertificate(intermediateSpec({ algorithm }), root)
    const leaf = await issueCertificate(leafSpec({ algorithm }), intermediate)
    const inputs = {
      root: certificateToPem(root.certificate),
      intermediate: certificateToPem(intermediate.certificate),
      leaf: certificateToPem(leaf.certificate),
    }
    const time = String(TEST_TIME / 1000)
    const args = [
      'verify',
      '-x509_strict',
      '-attime',
      time,
      '-purpose',
      'any',
      '-CAfile',
      'root',
      '-untrusted',
      'intermediate',
      'leaf',
    ]
    const { status, stderr } = await openssl(args, { inputs })
    assert.equal(status, 0, stderr)
    await verifyCertificateSignature(leaf.certificate, intermediate.key.publicKey)
  })
}

test('OpenSSL reads Fulcio’s extensions as they are meant', async () => {
  const root = await issueCertificate(rootSpec())
  const { certificate } = await issueCertificate(
    leafSpec({ fulcio: { issuerV1: 'https://i', githubWorkflowRef: 'refs/heads/main', issuer: 'https://i' } }),
    root,
  )
  const { stdout } = await openssl(['x509', '-in', 'leaf', '-noout', '-text'], {
    inputs: { leaf: certificateToPem(certificate) },
  })
  assert.match(stdout, /1\.3\.6\.1\.4\.1\.57264\.1\.1: *\n\s+https:\/\/i\n/)
  assert.match(stdout, /1\.3\.6\.1\.4\.1\.57264\.1\.6: *\n\s+refs\/heads\/main\n/)
  assert.match(stdout, /1\.3\.6\.1\.4\.1\.57264\.1\.8: *\n\s+\.\.https:\/\/i\n/)
  assert.match(stdout, /X509v3 Subject Alternative Name: critical\n\s+email:alice@example\.com/)
})

test('leaves empty claims out', async () => {
  const root = await issueCertificate(rootSpec())
  const { certificate } = await issueCertificate(leafSpec({ fulcio: { issuer: 'x', buildTrigger: '' } }), root)
  assert.deepEqual(certificate.fulcio, { issuer: 'x' })
})

test('a certificate of one issuer is not one of another, nor one with another signature', async () => {
  const [root, other] = [await issueCertificate(rootSpec()), await issueCertificate(rootSpec())]
  const { certificate } = await issueCertificate(leafSpec(), root)
  await assert.rejects(verifyCertificateSignature(certificate, other.key.publicKey), { code: 'CERTIFICATE_SIGNATURE' })
  const signature = Uint8Array.from(certificate.signature)
  signature[10] = (signature[10] ?? 0) ^ 1
  await assert.rejects(verifyCertificateSignature({ ...certificate, signature }, root.key.publicKey), {
    code: 'CERTIFICATE_SIGNATURE',
  })
  await assert.rejects(
    verifyCertificateSignature({ ...certificate, signature: new Uint8Array() }, root.key.publicKey),
    { code: 'CERTIFICATE_SIGNATURE' },
  )
})

test('a key of another kind than the signature is refused as such', async () => {
  const root = await issueCertificate(rootSpec())
  const { certificate } = await issueCertificate(leafSpec(), root)
  const ed25519 = await generatePrivateKey('ed25519')
  await assert.rejects(verifyCertificateSignature(certificate, ed25519.publicKey), { code: 'CERTIFICATE_UNSUPPORTED' })
})

test('serial numbers are positive and have at most 20 octets', () => {
  for (const fill of [0xff, 0x80, 0x7f, 0]) {
    const serial = randomSerialNumber((length) => new Uint8Array(length).fill(fill))
    assert.ok((serial[0] ?? 0) < 0x80 && serial.length === 20 && serial.some((byte) => byte !== 0))
  }
})

test('a key identifier has 20 bytes and depends on the key bits alone', async () => {
  const [a, b] = [await generatePrivateKey('ed25519'), await generatePrivateKey('ed25519')]
  assert.equal(keyIdentifier(a.publicKey.spki).length, 20)
  assert.notDeepEqual(keyIdentifier(a.publicKey.spki), keyIdentifier(b.publicKey.spki))
})

test('names that cannot be written are refused', () => {
  assert.throws(() => encodeName({ commonName: '' }), { code: 'CERTIFICATE_FIELD' })
  for (const value of ['', 'ä@example.com', 'a\nb', 'a\0b']) {
    assert.throws(() => encodeGeneralName({ kind: 'email', value }), { code: 'CERTIFICATE_FIELD' }, value)
    assert.throws(() => encodeGeneralName({ kind: 'uri', value }), { code: 'CERTIFICATE_FIELD' }, value)
  }
  assert.throws(() => encodeGeneralName({ kind: 'unsupported', tag: 0xa3, value: new Uint8Array() }), {
    code: 'CERTIFICATE_FIELD',
  })
})

test('times from 2050 on are written as GeneralizedTime', async () => {
  const notAfter = Date.UTC(2060, 0, 1)
  const { certificate } = await issueCertificate(rootSpec({ notAfter }))
  assert.equal(parseCertificate(certificate.der).notAfter, notAfter)
})
