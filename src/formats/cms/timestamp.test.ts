import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { AsnConvert } from '@peculiar/asn1-schema'
import { ContentInfo, SignedData as PeculiarSignedData } from '@peculiar/asn1-cms'
import { TSTInfo, TimeStampResp } from '@peculiar/asn1-tsp'
import fc from 'fast-check'
import type { AlgorithmName } from '#crypto/algorithms'
import { digest, sha256 } from '#crypto/digest'
import { concatBytes } from '#encoding/bytes'
import { TAG, readDer } from '#encoding/der'
import {
  der,
  derBitString,
  derBoolean,
  derExplicit,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derUtf8String,
} from '#encoding/der-writer'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { TEST_TIME, issueCertificate, tsaLeafSpec } from '#testing/pki/certificate'
import { openssl } from '#testing/pki/openssl'
import type { TestTsa } from '#testing/pki/tsa'
import { createTestTsa } from '#testing/pki/tsa'
import { certificateToPem } from '../x509/parse-certificate.js'
import { encodeTimestampRejection, encodeTimestampRequest } from './build-timestamp.js'
import {
  grantedToken,
  parseTimestampRequest,
  parseTimestampResponse,
  parseTimestampToken,
  parseTstInfo,
} from './parse-timestamp.js'
import { requireImprint, verifyTimestampSignature } from './timestamp-signature.js'

const DATA = encodeUtf8('signed bytes')
const imprint = { digest: 'sha256', hash: sha256(DATA) } as const
let tsa: TestTsa
let response: Uint8Array
before(async () => {
  tsa = await createTestTsa()
  response = await tsa.stamp(DATA)
})

const ALGORITHMS: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'ed25519',
]
for (const algorithm of ALGORITHMS) {
  test(`a time-stamp signed with ${algorithm} is verified by us`, async () => {
    const own = await createTestTsa({ leaf: { algorithm } })
    const token = grantedToken(parseTimestampResponse(await own.stamp(DATA, { embed: 'none' })))
    const signer = await verifyTimestampSignature(token, own.trusted.chain)
    assert.deepEqual(signer.der, own.leaf.certificate.der)
    await assert.rejects(verifyTimestampSignature(token, []), { code: 'CMS_SIGNER' })
  })
}

for (const algorithm of ALGORITHMS.filter((name) => name !== 'ed25519')) {
  test(`OpenSSL verifies a time-stamp signed with ${algorithm}`, async () => {
    const own = await createTestTsa({ leaf: { algorithm } })
    const inputs = {
      data: DATA,
      response: await own.stamp(DATA, { embed: 'chain' }),
      root: certificateToPem(own.root.certificate),
      chain: certificateToPem(own.intermediate.certificate),
    }
    const args = [
      'ts',
      '-verify',
      '-attime',
      String(TEST_TIME / 1000),
      '-data',
      'data',
      '-in',
      'response',
      '-CAfile',
      'root',
      '-untrusted',
      'chain',
    ]
    const { status, stderr } = await openssl(args, { inputs })
    assert.equal(status, 0, stderr)
    const other = await openssl(args, { inputs: { ...inputs, data: 'other data' } })
    assert.notEqual(other.status, 0)
  })
}

test('another ASN.1 library reads the same', () => {
  const theirs = AsnConvert.parse(response, TimeStampResp)
  const content = AsnConvert.parse(AsnConvert.serialize(theirs.timeStampToken ?? new ContentInfo()), ContentInfo)
  const signedData = AsnConvert.parse(content.content, PeculiarSignedData)
  const info = AsnConvert.parse(signedData.encapContentInfo.eContent?.single?.buffer ?? new ArrayBuffer(0), TSTInfo)
  const ours = grantedToken(parseTimestampResponse(response)).info
  assert.equal(info.genTime.getTime(), ours.genTime)
  assert.equal(ours.genTime, TEST_TIME)
  assert.equal(info.policy, ours.policy)
  assert.deepEqual(Buffer.from(info.serialNumber), Buffer.from(ours.serialNumber))
  assert.deepEqual(signedData.signerInfos[0]?.signedAttrs?.map(({ attrType }) => attrType).sort(), [
    '1.2.840.113549.1.9.16.2.47',
    '1.2.840.113549.1.9.3',
    '1.2.840.113549.1.9.4',
    '1.2.840.113549.1.9.5',
  ])
})

test('says what the TSTInfo says', () => {
  const { info } = grantedToken(parseTimestampResponse(response))
  assert.deepEqual(
    { ...info, serialNumber: undefined },
    {
      policy: '1.3.6.1.4.1.57264.2',
      imprint,
      serialNumber: undefined,
      genTime: TEST_TIME,
      accuracy: 1000,
      ordering: false,
      nonce: undefined,
      tsa: tsa.leaf.certificate.subject.der,
    },
  )
})

test('a request by OpenSSL is read, and OpenSSL reads ours', async () => {
  const query = await openssl(
    ['ts', '-query', '-data', 'data', '-sha512', '-cert', '-tspolicy', '1.2.3', '-out', 'q'],
    { inputs: { data: DATA }, output: 'q' },
  )
  const request = parseTimestampRequest(query.output)
  assert.deepEqual(request.imprint, { digest: 'sha512', hash: digest('sha512', DATA) })
  assert.equal(request.policy, '1.2.3')
  assert.equal(request.certificates, true)
  assert.ok((request.nonce?.length ?? 0) > 0)
  assert.deepEqual(parseTimestampRequest(encodeTimestampRequest(request)), request)
  const ours = encodeTimestampRequest({
    imprint,
    policy: undefined,
    nonce: Uint8Array.of(0x12, 0x34),
    certificates: true,
  })
  const text = await openssl(['ts', '-query', '-in', 'q', '-text'], { inputs: { q: ours } })
  assert.match(text.stdout, /Nonce: 0x1234\nCertificate required: yes/)
})

/** A TSA's files for `openssl ts -reply`. */
function opensslTsa(own: TestTsa, config: string): Record<string, string> {
  const { certificate } = own.leaf
  return {
    tsa: certificateToPem(certificate),
    serial: '01\n',
    config: `[tsa]\ndefault_tsa = t\n[t]\nserial = serial\nsigner_cert = tsa\ndefault_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\n${config}\n`,
  }
}

for (const essDigest of ['sha1', 'sha256', 'sha384']) {
  test(`a response by OpenSSL with an ESSCertID of ${essDigest}, fractions of a second and accuracy is verified`, async () => {
    const { privateKeyToPem } = await import('#crypto/private-key')
    // OpenSSL takes the time from the clock, and signs only if the certificate's purpose is right whatever the time.
    const own = await createTestTsa({ leaf: { algorithm: 'rsa-sign-pkcs1-2048-sha256' } })
    const config = `ess_cert_id_alg = ${essDigest}\naccuracy = secs:1, millisecs:500, microsecs:100\nclock_precision_digits = 3\nordering = yes\ntsa_name = yes`
    const query = encodeTimestampRequest({ imprint, policy: undefined, nonce: Uint8Array.of(5), certificates: true })
    const inputs = { ...opensslTsa(own, config), key: privateKeyToPem(own.leaf.key), query }
    const { output, stderr } = await openssl(
      ['ts', '-reply', '-config', 'config', '-queryfile', 'query', '-inkey', 'key', '-out', 'r'],
      { inputs, output: 'r' },
    )
    assert.ok(output.length > 0, stderr)
    const token = grantedToken(parseTimestampResponse(output))
    assert.deepEqual(
      token.signedData.signer.attributes.signingCertificates.map((id) => id.digest),
      [essDigest],
    )
    assert.equal(token.info.accuracy, 1501)
    assert.equal(token.info.ordering, true)
    assert.deepEqual(token.info.nonce, Uint8Array.of(5))
    assert.deepEqual((await verifyTimestampSignature(token, [])).der, own.leaf.certificate.der)
  })
}

test('a rejection is read, and has no token', async () => {
  const rejected = parseTimestampResponse(encodeTimestampRejection('no clock', 'timeNotAvailable'))
  assert.deepEqual(rejected, {
    status: 'rejection',
    statusText: 'no clock',
    failures: ['timeNotAvailable'],
    token: undefined,
  })
  assert.throws(() => grantedToken(rejected), { code: 'TIMESTAMP_NOT_GRANTED' })
  const text = await openssl(['ts', '-reply', '-in', 'r', '-text'], {
    inputs: { r: encodeTimestampRejection('no clock', 'badAlg') },
  })
  assert.match(text.stdout, /Status: Rejected\.\n(?:.*\n)*Failure info: unrecognized or unsupported algorithm/i)
})

test('refuses an imprint of other bytes or of another digest', async () => {
  const token = grantedToken(parseTimestampResponse(await tsa.stamp(DATA, { imprintDigest: 'sha512' })))
  requireImprint(token, { digest: 'sha512', hash: digest('sha512', DATA) })
  assert.throws(
    () => {
      requireImprint(token, imprint)
    },
    { code: 'TIMESTAMP_IMPRINT' },
  )
  assert.throws(
    () => {
      requireImprint(token, { digest: 'sha512', hash: digest('sha512', encodeUtf8('x')) })
    },
    { code: 'TIMESTAMP_IMPRINT' },
  )
})

test('refuses another certificate with the same key, by the ESSCertID', async () => {
  const twin = await issueCertificate(
    tsaLeafSpec({ key: tsa.leaf.key, serialNumber: tsa.leaf.certificate.serialNumber }),
    tsa.intermediate,
  )
  const token = grantedToken(parseTimestampResponse(await tsa.stamp(DATA, { embed: 'none' })))
  assert.notDeepEqual(twin.certificate.der, tsa.leaf.certificate.der)
  await assert.rejects(verifyTimestampSignature(token, [twin.certificate]), { code: 'CMS_ATTRIBUTES' })
})

test('refuses a certificate of another issuer or serial number', async () => {
  const token = grantedToken(parseTimestampResponse(await tsa.stamp(DATA, { embed: 'none' })))
  const other = await createTestTsa()
  await assert.rejects(verifyTimestampSignature(token, other.trusted.chain), { code: 'CMS_SIGNER' })
})

/** The token of `response`, taken apart and put together with one part changed. */
function tampered(change: {
  content?: (content: Uint8Array) => Uint8Array
  signer?: (parts: Uint8Array[]) => Uint8Array[]
  signers?: number
  version?: number
}): Uint8Array {
  const parts = (bytes: Uint8Array): Uint8Array[] => {
    const reader = readDer(bytes).contents()
    const list: Uint8Array[] = []
    while (!reader.done) list.push(reader.next().bytes)
    return list
  }
  const token = grantedToken(parseTimestampResponse(response))
  const [type, explicit] = parts(token.der)
  const [, digests, encapsulated, certificates, signers] = parts(readDer(explicit!).content)
  const [contentType, content] = parts(encapsulated!)
  const octets = readDer(readDer(content!).content).content
  const signer = derSequence(...(change.signer?.(parts(parts(signers!)[0]!)) ?? parts(parts(signers!)[0]!)))
  const signedData = derSequence(
    derInteger(change.version ?? 3),
    digests!,
    derSequence(contentType!, derExplicit(0, derOctetString(change.content?.(octets) ?? octets))),
    certificates!,
    derSet(...Array.from({ length: change.signers ?? 1 }, () => signer)),
  )
  return derSequence(type!, derExplicit(0, signedData))
}

test('the taking apart used below changes nothing by itself', () => {
  assert.deepEqual(tampered({}), grantedToken(parseTimestampResponse(response)).der)
})

const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes.at(at) ?? 0) ^ 1)
const set = (index: number, change: (part: Uint8Array) => Uint8Array) => (parts: Uint8Array[]) =>
  parts.map((part, i) => (i === index ? change(part) : part))
const retagged = (signed: Uint8Array): Uint8Array => der(0xa0, readDer(signed).content)

test('refuses a token with a later time in it', async () => {
  const token = parseTimestampToken(
    tampered({ content: (bytes) => replaceText(bytes, '20250601120000Z', '20250601120001Z') }),
  )
  assert.equal(token.info.genTime, TEST_TIME + 1000)
  await assert.rejects(verifyTimestampSignature(token, []), { code: 'CMS_ATTRIBUTES' })
})

test('refuses a changed signature, and changed attributes', async () => {
  const signature = parseTimestampToken(tampered({ signer: set(5, (part) => flip(part, -1)) }))
  await assert.rejects(verifyTimestampSignature(signature, []), { code: 'CMS_SIGNATURE' })
  const time = parseTimestampToken(
    tampered({ signer: set(3, (part) => replaceText(part, '250601120000Z', '250601120001Z')) }),
  )
  await assert.rejects(verifyTimestampSignature(time, []), { code: 'CMS_SIGNATURE' })
})

function attributesWithout(oid: string): (part: Uint8Array) => Uint8Array {
  return (part) => {
    const reader = readDer(part).contents()
    const kept: Uint8Array[] = []
    while (!reader.done) {
      const attribute = reader.next()
      if (Buffer.compare(attribute.contents().next().bytes, derOid(oid)) !== 0) kept.push(attribute.bytes)
    }
    return der(0xa0, ...kept)
  }
}

test('refuses a signer that does not name its certificate', async () => {
  const token = parseTimestampToken(tampered({ signer: set(3, attributesWithout('1.2.840.113549.1.9.16.2.47')) }))
  await assert.rejects(verifyTimestampSignature(token, []), { code: 'CMS_ATTRIBUTES' })
})

const SHA1 = derSequence(derOid('1.3.14.3.2.26'))
const MALFORMED: readonly (readonly [name: string, token: () => Uint8Array, code: string])[] = [
  ['without signer', () => tampered({ signers: 0 }), 'CMS_UNSUPPORTED'],
  ['with two signers', () => tampered({ signers: 2 }), 'CMS_UNSUPPORTED'],
  ['of version 0', () => tampered({ version: 0 }), 'CMS_UNSUPPORTED'],
  ['of version 9', () => tampered({ version: 9 }), 'CMS_UNSUPPORTED'],
  ['with SHA-1', () => tampered({ signer: set(2, () => SHA1) }), 'CMS_UNSUPPORTED'],
  [
    'without signed attributes',
    () => tampered({ signer: (parts) => parts.filter((_, i) => i !== 3) }),
    'CMS_UNSUPPORTED',
  ],
  [
    'without contentType',
    () => tampered({ signer: set(3, attributesWithout('1.2.840.113549.1.9.3')) }),
    'CMS_MALFORMED',
  ],
  [
    'without messageDigest',
    () => tampered({ signer: set(3, attributesWithout('1.2.840.113549.1.9.4')) }),
    'CMS_MALFORMED',
  ],
  [
    'with every attribute twice',
    () => tampered({ signer: set(3, (part) => retagged(derSequence(readDer(part).content, readDer(part).content))) }),
    'CMS_MALFORMED',
  ],
  ['with a signer version that does not fit', () => tampered({ signer: set(0, () => derInteger(3)) }), 'CMS_MALFORMED'],
  ['with a signer named by nothing', () => tampered({ signer: set(1, () => derNull()) }), 'CMS_MALFORMED'],
  [
    'that is no SignedData',
    () => derSequence(derOid('1.2.840.113549.1.7.1'), derExplicit(0, derSequence())),
    'CMS_UNSUPPORTED',
  ],
  ['that is empty', () => new Uint8Array(), 'CMS_MALFORMED'],
  ['with a TSTInfo that is none', () => tampered({ content: () => derNull() }), 'TIMESTAMP_MALFORMED'],
]
for (const [name, token, code] of MALFORMED) {
  test(`refuses a token ${name}`, () => {
    assert.throws(() => parseTimestampToken(token()), { code })
  })
}

const SHA256 = derSequence(derOid('2.16.840.1.101.3.4.2.1'))
const good = {
  version: derInteger(1),
  policy: derOid('1.2.3'),
  imprint: derSequence(SHA256, derOctetString(new Uint8Array(32))),
  serial: derInteger(1),
  time: der(TAG.GENERALIZED_TIME, encodeUtf8('20250601120000.25Z')),
}
const tst = (change: Partial<typeof good> = {}, ...rest: Uint8Array[]): Uint8Array =>
  derSequence(...Object.values({ ...good, ...change }), ...rest)
const critical = derSequence(derOid('1.2.3'), derBoolean(true), derOctetString(derNull()))

test('reads fractions of a second, and other kinds of TSA name', () => {
  assert.equal(parseTstInfo(tst()).genTime, TEST_TIME + 250)
  assert.equal(parseTstInfo(tst({}, derExplicit(0, der(0x86, encodeUtf8('https://tsa'))))).tsa, undefined)
  assert.equal(parseTstInfo(tst({}, derSequence(der(0x80, Uint8Array.of(1)), der(0x81, Uint8Array.of(1))))).accuracy, 2)
})

const BAD_TST: readonly (readonly [name: string, bytes: Uint8Array, code?: string])[] = [
  ['of version 2', tst({ version: derInteger(2) }), 'TIMESTAMP_UNSUPPORTED'],
  ['with SHA-1', tst({ imprint: derSequence(SHA1, derOctetString(new Uint8Array(20))) }), 'TIMESTAMP_UNSUPPORTED'],
  ['with a critical extension', tst({}, der(0xa1, critical)), 'TIMESTAMP_UNSUPPORTED'],
  [
    'with a digest of the wrong length',
    tst({ imprint: derSequence(SHA256, derOctetString(new Uint8Array(31))) }),
    'TIMESTAMP_DIGEST_LENGTH',
  ],
  ['with a UTCTime', tst({ time: der(TAG.UTC_TIME, encodeUtf8('250601120000Z')) })],
  ['with a local time', tst({ time: der(TAG.GENERALIZED_TIME, encodeUtf8('20250601120000')) })],
  ['with a fraction that ends in zero', tst({ time: der(TAG.GENERALIZED_TIME, encodeUtf8('20250601120000.50Z')) })],
  ['with an accuracy of 1000 ms', tst({}, derSequence(der(0x80, Uint8Array.of(0x03, 0xe8))))],
  ['with a negative accuracy', tst({}, derSequence(derInteger(-1)))],
  ['with an unknown field', tst({}, der(0xa5, derNull()))],
]
for (const [name, bytes, code = 'TIMESTAMP_MALFORMED'] of BAD_TST) {
  test(`refuses a TSTInfo ${name}`, () => {
    assert.throws(() => parseTstInfo(bytes), { code })
  })
}

const info = (status: number, ...rest: Uint8Array[]): Uint8Array => derSequence(derInteger(status), ...rest)
test('refuses responses that contradict themselves', () => {
  const { der: token } = grantedToken(parseTimestampResponse(response))
  const bad = [
    derSequence(info(0)),
    derSequence(info(2), token),
    derSequence(info(3), token),
    derSequence(info(9)),
    derSequence(info(2, derSequence(derInteger(1)))),
    derSequence(info(2, derBitString(Uint8Array.of(1), 3))),
    derSequence(info(2), derSequence(), derSequence()),
    concatBytes(response, Uint8Array.of(0)),
  ]
  for (const bytes of bad) assert.throws(() => parseTimestampResponse(bytes), { code: /^(?:TIMESTAMP|CMS)_MALFORMED$/ })
  assert.equal(parseTimestampResponse(derSequence(info(1), token)).status, 'grantedWithMods')
})

test('refuses requests that are none', () => {
  const bad = [
    new Uint8Array(),
    derNull(),
    derSequence(derInteger(2), good.imprint),
    derSequence(derInteger(1)),
    derSequence(derInteger(1), good.imprint, derUtf8String('x')),
  ]
  for (const bytes of bad) assert.throws(() => parseTimestampRequest(bytes), { code: /^TIMESTAMP_/ })
})

test('any change of a response gives a response or a coded error', () => {
  const changed = fc.array(fc.tuple(fc.nat(response.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 100 }),
        changed.map((edits) => edits.reduce((bytes, [at, byte]) => bytes.with(at, byte), response)),
      ),
      (bytes) => {
        try {
          assert.ok(parseTimestampResponse(bytes).status.length > 0)
        } catch (error) {
          if (!isCodedError(error)) throw error
          assert.match(error.code, /^(?:TIMESTAMP|CMS)_(?:MALFORMED|UNSUPPORTED|DIGEST_LENGTH)$/)
        }
      },
    ),
    { numRuns: 10 * fuzzRuns() },
  )
})

function replaceText(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const at = Buffer.from(bytes).indexOf(from)
  assert.ok(at >= 0)
  const changed = Uint8Array.from(bytes)
  changed.set(encodeUtf8(to), at)
  return changed
}
