import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import type { AlgorithmName } from '#crypto/algorithms'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import { sha256 } from '#crypto/digest'
import { concatBytes, uint16be } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { STATIC_CT_KEY, STATIC_CT_ISSUER, STATIC_CT_LEAF } from '#testing/fixtures/static-ct-certificate'
import { fuzzRuns } from '#testing/fuzz'
import type { TestCertificate } from '#testing/pki/certificate'
import { TEST_TIME, intermediateSpec, issueCertificate, leafSpec } from '#testing/pki/certificate'
import { createTestCtLog, issueLoggedCertificate } from '#testing/pki/ct-log'
import { buildCertificate } from '../x509/build-certificate.js'
import { POISON_EXTENSION } from '../x509/extension-writers.js'
import { EMPTY_NAME } from '../x509/name.js'
import { parseCertificate } from '../x509/parse-certificate.js'
import type { SignedCertificateTimestamp } from './sct.js'
import { encodeLeafIndexExtension, encodeSct, encodeSctList, parseSct, parseSctList, sctLeafIndex } from './sct.js'
import { precertEntry, precertTbs } from './sct-entry.js'
import { signSct, verifySct } from './verify-sct.js'

let sct: SignedCertificateTimestamp
let issuer: TestCertificate
const leaf = parseCertificate(STATIC_CT_LEAF)
const entry = precertEntry(leaf, parseCertificate(STATIC_CT_ISSUER).spki)
const logKey: PublicKey = parsePublicKey(STATIC_CT_KEY)
before(async () => {
  const [first] = parseSctList(leaf.sctList ?? new Uint8Array())
  assert.ok(first)
  sct = first
  issuer = await issueCertificate(intermediateSpec())
})

test('verifies the SCT of a real certificate, leaf index included', async () => {
  await verifySct(sct, entry, logKey)
  assert.deepEqual(sct.logId, logKey.id)
  assert.equal(typeof sctLeafIndex(sct), 'bigint')
})

const changes: readonly (readonly [
  name: string,
  change: (sct: SignedCertificateTimestamp) => SignedCertificateTimestamp,
])[] = [
  ['a millisecond later', (original) => ({ ...original, timestamp: original.timestamp + 1 })],
  ['without its extensions', (original) => ({ ...original, extensions: new Uint8Array() })],
  ['with another leaf index', (original) => ({ ...original, extensions: encodeLeafIndexExtension(1n) })],
  [
    'with another signature',
    (original) => ({ ...original, signature: original.signature.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) }),
  ],
  ['with an empty signature', (original) => ({ ...original, signature: new Uint8Array() })],
  ['with another hash', (original) => ({ ...original, hashAlgorithm: 5 })],
  ['said to be of RSA', (original) => ({ ...original, signatureAlgorithm: 1 })],
]
for (const [name, change] of changes) {
  test(`refuses the SCT ${name}`, async () => {
    await assert.rejects(verifySct(change(sct), entry, logKey), { code: 'SCT_SIGNATURE' })
  })
}

test('refuses the SCT for another entry or another log', async () => {
  assert.ok(entry.kind === 'precert')
  const other = await createTestCtLog()
  await assert.rejects(verifySct(sct, { ...entry, issuerKeyHash: sha256(STATIC_CT_LEAF) }, logKey), {
    code: 'SCT_SIGNATURE',
  })
  await assert.rejects(verifySct(sct, { ...entry, tbs: leaf.tbs }, logKey), { code: 'SCT_SIGNATURE' })
  await assert.rejects(verifySct(sct, { kind: 'x509', certificate: STATIC_CT_LEAF }, logKey), { code: 'SCT_SIGNATURE' })
  await assert.rejects(verifySct(sct, entry, other.key.publicKey), { code: 'SCT_SIGNATURE' })
})

test('refuses algorithms that TLS or this project does not know', async () => {
  for (const [hashAlgorithm, signatureAlgorithm] of [
    [2, 3],
    [4, 2],
    [8, 3],
    [4, 7],
    [0, 0],
    [255, 255],
  ] as const) {
    await assert.rejects(verifySct({ ...sct, hashAlgorithm, signatureAlgorithm }, entry, logKey), {
      code: 'SCT_UNSUPPORTED',
    })
  }
})

const LOG_KEYS: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'rsa-sign-pkcs1-2048-sha256',
  'ed25519',
]
for (const algorithm of LOG_KEYS) {
  test(`signs and verifies with a log key of ${algorithm}, there and back through TLS`, async () => {
    const log = await createTestCtLog(algorithm)
    const bytes = await log.sign(entry, { extensions: encodeLeafIndexExtension(0xff_ffff_ffffn) })
    const parsed = parseSct(bytes)
    await verifySct(parsed, entry, log.key.publicKey)
    assert.deepEqual(encodeSct(parsed), bytes)
    assert.equal(sctLeafIndex(parsed), 0xff_ffff_ffffn)
  })
}

test('a key that TLS has no name for cannot sign SCTs', async () => {
  const log = await createTestCtLog()
  const key = { ...log.key, algorithm: { ...log.key.algorithm, family: 'ml-dsa' as const } }
  await assert.rejects(signSct({ entry, timestamp: 0, extensions: new Uint8Array() }, key), { code: 'SCT_UNSUPPORTED' })
})

test('precertificate, certificate without and certificate with SCT have one and the same entry', async () => {
  const log = await createTestCtLog()
  const logged = await issueLoggedCertificate(leafSpec(), issuer, [{ log }, { log, timestamp: TEST_TIME + 1 }])
  const fixed = { key: logged.key, serialNumber: logged.certificate.serialNumber }
  const plain = await issueCertificate(leafSpec(fixed), issuer)
  const precert = await issueCertificate(leafSpec({ ...fixed, extraExtensions: [POISON_EXTENSION] }), issuer)
  assert.deepEqual(precertTbs(logged.certificate.tbs), plain.certificate.tbs)
  assert.deepEqual(precertTbs(precert.certificate.tbs), plain.certificate.tbs)
  assert.equal(parseSctList(logged.certificate.sctList ?? new Uint8Array()).length, 2)
})

test('a certificate with nothing but a poison has no extensions left; one without any was never logged', async () => {
  const fields = {
    serialNumber: Uint8Array.of(1),
    issuer: EMPTY_NAME,
    subject: EMPTY_NAME,
    notBefore: 0,
    notAfter: 0,
    spki: issuer.key.publicKey.spki,
  }
  const poisoned = parseCertificate(await buildCertificate({ ...fields, extensions: [POISON_EXTENSION] }, issuer.key))
  const bare = parseCertificate(await buildCertificate({ ...fields, extensions: [] }, issuer.key))
  assert.deepEqual(precertTbs(poisoned.tbs), bare.tbs)
  assert.throws(() => precertTbs(bare.tbs), { code: 'SCT_ENTRY' })
})

const one = (): Uint8Array => encodeSct(sct)
const MALFORMED: readonly (readonly [name: string, list: () => Uint8Array, code?: string])[] = [
  ['nothing', () => new Uint8Array()],
  ['an empty list', () => encodeSctList([])],
  ['an empty SCT', () => encodeSctList([new Uint8Array()])],
  ['bytes after the list', () => concatBytes(encodeSctList([one()]), Uint8Array.of(0))],
  ['bytes after an SCT', () => encodeSctList([concatBytes(one(), Uint8Array.of(0))])],
  ['an SCT cut short', () => encodeSctList([one().subarray(0, -1)])],
  ['a length that is too large', () => concatBytes(uint16be(500), one())],
  ['version 2', () => encodeSctList([one().with(0, 1)]), 'SCT_UNSUPPORTED'],
  ['a time beyond all calendars', () => encodeSctList([one().with(33, 0xff)])],
  ['more SCTs than any certificate has', () => encodeSctList(Array.from({ length: 33 }, one))],
]
for (const [name, list, code = 'SCT_MALFORMED'] of MALFORMED) {
  test(`refuses a list that is ${name}`, () => {
    assert.throws(() => parseSctList(list()), { code })
  })
}

test('refuses odd leaf indexes, and skips other extensions', () => {
  const index = encodeLeafIndexExtension(5n)
  assert.equal(sctLeafIndex({ extensions: new Uint8Array() }), undefined)
  assert.equal(sctLeafIndex({ extensions: concatBytes(Uint8Array.of(9, 0, 1, 7), index) }), 5n)
  for (const extensions of [
    concatBytes(index, index),
    Uint8Array.of(0, 0, 1, 7),
    index.subarray(0, 5),
    Uint8Array.of(0),
  ]) {
    assert.throws(() => sctLeafIndex({ extensions }), { code: 'SCT_MALFORMED' })
  }
  assert.throws(() => encodeLeafIndexExtension(1n << 40n), { code: 'SCT_UNSUPPORTED' })
})

test('any bytes give a list of SCTs or a coded error', () => {
  const valid = encodeSctList([one()])
  const changed = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => valid.with(at, byte))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 150 }), changed), (bytes) => {
      try {
        assert.ok(parseSctList(bytes).length > 0)
      } catch (error) {
        if (!isCodedError(error)) throw error
        assert.match(error.code, /^SCT_(?:MALFORMED|UNSUPPORTED)$/)
      }
    }),
    { numRuns: 5 * fuzzRuns() },
  )
})
