import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey, privateKeyToPem } from '#crypto/private-key'
import { concatBytes } from '#encoding/bytes'
import { derNull } from '#encoding/der-writer'
import { encodePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { openssl } from '#testing/pki/openssl'
import { buildCertificateRequest, parseCertificateRequest, verifyCertificateRequest } from './certificate-request.js'
import { EMPTY_NAME, encodeName } from './name.js'

let key: PrivateKey
let request: Uint8Array
before(async () => {
  key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  request = await buildCertificateRequest(encodeName({ commonName: 'x' }), key)
})

const ALGORITHMS: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'rsa-sign-pkcs1-2048-sha256',
  'ed25519',
]
for (const name of ALGORITHMS) {
  test(`OpenSSL verifies a request of ${name}, and so do we`, async () => {
    const own = await generatePrivateKey(name)
    const der = await buildCertificateRequest(EMPTY_NAME, own)
    const pem = encodePem('CERTIFICATE REQUEST', der)
    assert.equal((await openssl(['req', '-in', 'csr', '-verify', '-noout'], { inputs: { csr: pem } })).status, 0)
    assert.deepEqual((await verifyCertificateRequest(parseCertificateRequest(der))).spki, own.publicKey.spki)
  })

  test(`a request of ${name} by OpenSSL, with attributes, is read and verified`, async () => {
    const own = await generatePrivateKey(name)
    const args = [
      'req',
      '-new',
      '-key',
      'key',
      '-subj',
      '/CN=a',
      '-addext',
      'subjectAltName=email:a@b.c',
      '-outform',
      'DER',
      '-out',
      'csr',
    ]
    const { output } = await openssl(args, { inputs: { key: privateKeyToPem(own) }, output: 'csr' })
    const parsed = parseCertificateRequest(output)
    assert.equal(parsed.subject.text, 'CN=a')
    assert.deepEqual((await verifyCertificateRequest(parsed)).spki, own.publicKey.spki)
  })
}

test('refuses a request signed by another key', async () => {
  const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const forged = await buildCertificateRequest(EMPTY_NAME, { ...key, sign: (input) => other.sign(input) })
  await assert.rejects(verifyCertificateRequest(parseCertificateRequest(forged)), { code: 'CSR_SIGNATURE' })
})

test('refuses a request that was changed after it was signed', async () => {
  const parsed = parseCertificateRequest(request)
  const info = Uint8Array.from(parsed.info)
  info[info.length - 1] = (info.at(-1) ?? 0) ^ 1
  await assert.rejects(verifyCertificateRequest({ ...parsed, info }), { code: 'CSR_SIGNATURE' })
})

test('refuses what is no request', () => {
  for (const bytes of [new Uint8Array(), derNull(), request.subarray(0, -1), concatBytes(request, Uint8Array.of(0))]) {
    assert.throws(() => parseCertificateRequest(bytes), { code: 'CSR_MALFORMED' })
  }
})

test('any change of a request gives a request or a coded error', () => {
  fc.assert(
    fc.property(fc.nat(request.length - 1), fc.nat(255), (at, byte) => {
      const changed = Uint8Array.from(request)
      changed[at] = byte
      try {
        assert.ok(parseCertificateRequest(changed).spki.length > 0)
      } catch (error) {
        if (!isCodedError(error)) throw error
        assert.equal(error.code, 'CSR_MALFORMED')
      }
    }),
    { numRuns: 5 * fuzzRuns() },
  )
})
