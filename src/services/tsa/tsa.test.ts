import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { digest, sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { requestTimestamp } from '#clients/tsa/tsa'
import { encodeBase64 } from '#encoding/base64'
import { derInteger, derNull, derOctetString, derOid, derSequence, derBoolean, derExplicit } from '#encoding/der-writer'
import { encodeUtf8 } from '#encoding/utf8'
import { encodeTimestampRequest } from '#formats/cms/build-timestamp'
import { grantedToken, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import type { TimestampToken } from '#formats/cms/timestamp'
import { verifyTimestampSignature } from '#formats/cms/timestamp-signature'
import { EKU } from '#formats/x509/oids'
import { certificateToPem, certificatesFromPem } from '#formats/x509/parse-certificate'
import { TEST_TIME, intermediateSpec, issueCertificate, rootSpec, tsaLeafSpec } from '#testing/pki/certificate'
import { openssl } from '#testing/pki/openssl'
import { createTestTsa } from '#testing/pki/tsa'
import type { UnixMillis } from '#time'
import type { Handler } from '#serving/handler'
import { fetchInProcess } from '#serving/in-process'
import { router } from '#serving/routes'
import type { NewTimestampAuthority } from './chain.js'
import { checkTimestampChain, createTimestampAuthority } from './chain.js'
import { timestampAuthorityRoutes } from './tsa.js'

const DATA = encodeUtf8('a signature')
const imprint = { digest: 'sha256', hash: sha256(DATA) } as const
let authority: NewTimestampAuthority
let now: UnixMillis = TEST_TIME
let handler: Handler
before(async () => {
  authority = await createTimestampAuthority({ organization: 'test.example', now, random: randomBytes })
  handler = router(await timestampAuthorityRoutes({ ...authority, clock: () => now, random: randomBytes }))
})

function post(
  body: Uint8Array | string,
  type = 'application/timestamp-query',
  to: Handler = handler,
): Promise<Response> {
  return to(new Request('http://tsa/api/v1/timestamp', { method: 'POST', body, headers: { 'content-type': type } }))
}

async function tokenOf(response: Response): Promise<TimestampToken> {
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/timestamp-reply')
  return grantedToken(parseTimestampResponse(new Uint8Array(await response.arrayBuffer())))
}

const query = (change: Partial<Parameters<typeof encodeTimestampRequest>[0]> = {}): Uint8Array =>
  encodeTimestampRequest({ imprint, policy: undefined, nonce: undefined, certificates: false, ...change })

test('stamps a DER request: everything asked for comes back', async () => {
  const nonce = Uint8Array.of(0x12, 0x34)
  const token = await tokenOf(await post(query({ nonce, policy: '1.3.6.1.4.1.57264.2', certificates: true })))
  const { serialNumber, ...info } = token.info
  assert.deepEqual(info, {
    policy: '1.3.6.1.4.1.57264.2',
    imprint,
    genTime: TEST_TIME,
    accuracy: 1000,
    ordering: false,
    nonce,
    tsa: authority.chain[0]?.subject.der,
  })
  assert.equal(serialNumber.length <= 20, true)
  assert.deepEqual(token.signedData.certificates, [authority.chain[0]?.der])
  await verifyTimestampSignature(token, [])
})

test('puts certificates into the answer only if asked, and the chain only if configured', async () => {
  assert.deepEqual((await tokenOf(await post(query()))).signedData.certificates, [])
  const whole = router(
    await timestampAuthorityRoutes({ ...authority, clock: () => now, random: randomBytes, includeChain: true }),
  )
  const token = await tokenOf(await post(query({ certificates: true }), undefined, whole))
  assert.deepEqual(
    token.signedData.certificates,
    authority.chain.map(({ der }) => der),
  )
})

test('serves the countersign client', async () => {
  const service = { fetch: fetchInProcess(handler), url: 'http://tsa/api/v1/timestamp', random: randomBytes }
  const token = grantedToken(parseTimestampResponse(await requestTimestamp(service, { data: DATA, digest: 'sha384' })))
  assert.deepEqual(token.info.imprint, { digest: 'sha384', hash: digest('sha384', DATA) })
})

test('OpenSSL verifies an answer with the chain that the authority serves', async () => {
  const response = await handler(new Request('http://tsa/api/v1/timestamp/certchain'))
  assert.equal(response.headers.get('content-type'), 'application/pem-certificate-chain')
  assert.equal(response.headers.get('cache-control'), 'max-age=86400, immutable')
  const pem = await response.text()
  assert.deepEqual(
    certificatesFromPem(pem).map(({ der }) => der),
    authority.chain.map(({ der }) => der),
  )
  const made = await openssl(['ts', '-query', '-data', 'data', '-sha512', '-cert', '-out', 'q'], {
    inputs: { data: DATA },
    output: 'q',
  })
  const reply = new Uint8Array(await (await post(made.output)).arrayBuffer())
  const root = authority.chain[2]
  assert.ok(root)
  const inputs = { reply, query: made.output, chain: pem, root: certificateToPem(root) }
  const args = [
    'ts',
    '-verify',
    '-attime',
    String(TEST_TIME / 1000),
    '-queryfile',
    'query',
    '-in',
    'reply',
    '-CAfile',
    'root',
    '-untrusted',
    'chain',
  ]
  const { status, stderr } = await openssl(args, { inputs })
  assert.equal(status, 0, stderr)
})

const json = (fields: Record<string, unknown>): string =>
  JSON.stringify({ artifactHash: encodeBase64(imprint.hash), hashAlgorithm: 'sha256', ...fields })

test('stamps a JSON request, with a nonce of more digits than a number holds', async () => {
  const body = json({ nonce: 0, certificates: true, tsaPolicyOID: '1.3.6.1.4.1.57264.2' }).replace(
    '"nonce":0',
    '"nonce": 340282366920938463463374607431768211455',
  )
  const { info, signedData } = await tokenOf(await post(body, 'application/json; charset=utf-8'))
  assert.deepEqual(info.nonce, Uint8Array.of(0, ...new Uint8Array(16).fill(0xff)))
  assert.deepEqual(info.imprint, imprint)
  assert.equal(signedData.certificates.length, 1)
  assert.equal((await tokenOf(await post(json({ hashAlgorithm: 'SHA256' }), 'application/json'))).info.nonce, undefined)
})

const SHA1 = derSequence(
  derInteger(1),
  derSequence(derSequence(derOid('1.3.14.3.2.26'), derNull()), derOctetString(new Uint8Array(20))),
)
const SHORT = derSequence(
  derInteger(1),
  derSequence(derSequence(derOid('2.16.840.1.101.3.4.2.1')), derOctetString(new Uint8Array(20))),
)
const extension = derSequence(derOid('1.2.3'), derBoolean(true), derOctetString(derNull()))
const EXTENDED = (): Uint8Array =>
  derSequence(
    derInteger(1),
    derSequence(derSequence(derOid('2.16.840.1.101.3.4.2.1')), derOctetString(imprint.hash)),
    derExplicit(0, extension),
  )
const FAILED = 'Error generating timestamp response'
const WEAK = 'Weak hash algorithm in timestamp request'
const LENGTH = 'Message digest has incorrect length for specified algorithm'
const POLICY = 'unaccepted policy: requested TSA policy is not supported by the TSA'

const REFUSED: readonly {
  name: string
  body: () => Uint8Array | string
  type?: string
  status: number
  message?: string
}[] = [
  { name: 'an empty body', body: () => new Uint8Array(), status: 400, message: FAILED },
  { name: 'something else than DER', body: () => 'hello', status: 400, message: FAILED },
  { name: 'SHA-1', body: () => SHA1, status: 400, message: WEAK },
  { name: 'a digest of the wrong length', body: () => SHORT, status: 400, message: LENGTH },
  { name: 'another policy', body: () => query({ policy: '1.2.3' }), status: 400, message: POLICY },
  {
    name: 'an extension',
    body: EXTENDED,
    status: 400,
    message: 'unaccepted extension: requested extensions are not supported by the TSA',
  },
  { name: 'more than a megabyte', body: () => new Uint8Array(1024 * 1024 + 1), status: 413 },
  { name: 'another content type', body: () => query(), type: 'text/plain', status: 415 },
  {
    name: 'a content type that only contains the right one',
    body: () => query(),
    type: 'multipart/form-data; boundary=application/json',
    status: 415,
  },
  { name: 'no JSON', body: () => '{', type: 'application/json', status: 400, message: FAILED },
  { name: 'JSON that is no object', body: () => '[]', type: 'application/json', status: 400, message: FAILED },
  {
    name: 'JSON without a hash',
    body: () => '{"hashAlgorithm":"sha256"}',
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with a hash that is not base64',
    body: () => json({ artifactHash: '***' }),
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with SHA-1',
    body: () => json({ hashAlgorithm: 'sha1' }),
    type: 'application/json',
    status: 400,
    message: WEAK,
  },
  {
    name: 'JSON with MD5',
    body: () => json({ hashAlgorithm: 'md5' }),
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with __proto__ as algorithm',
    body: () => json({ hashAlgorithm: '__proto__' }),
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with a hash of the wrong length',
    body: () => json({ hashAlgorithm: 'sha512' }),
    type: 'application/json',
    status: 400,
    message: LENGTH,
  },
  {
    name: 'JSON with a fractional nonce',
    body: () => json({ nonce: 1.5 }),
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with a nonce of text',
    body: () => json({ nonce: '1' }),
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with certificates of text',
    body: () => json({ certificates: 'yes' }),
    type: 'application/json',
    status: 400,
    message: FAILED,
  },
  {
    name: 'JSON with another policy',
    body: () => json({ tsaPolicyOID: '1.2.3' }),
    type: 'application/json',
    status: 400,
    message: POLICY,
  },
  {
    name: 'JSON with a policy that is no OID',
    body: () => json({ tsaPolicyOID: 'x' }),
    type: 'application/json',
    status: 400,
    message: 'OID should be comprised of at most 128 components',
  },
  {
    name: 'JSON with a policy of 129 components',
    body: () => json({ tsaPolicyOID: `1.2${'.3'.repeat(127)}` }),
    type: 'application/json',
    status: 400,
    message: 'OID should be comprised of at most 128 components',
  },
  {
    name: 'JSON of more than a kilobyte',
    body: () => json({ nonce: 1, x: 'x'.repeat(1024) }),
    type: 'application/json',
    status: 400,
    message: 'timestamp request is too large',
  },
]
for (const { name, body, type, status, message } of REFUSED) {
  test(`answers ${String(status)} to ${name}`, async () => {
    const response = await post(body(), type)
    const answer = (await response.json()) as { code: number; message: string }
    assert.deepEqual([response.status, answer.code], [status, status])
    if (message !== undefined) assert.equal(answer.message, message)
  })
}

test('rides out a step back of a second, stops at a larger one, and goes on when the clock has caught up', async () => {
  let time = TEST_TIME + 10_000
  const own = router(await timestampAuthorityRoutes({ ...authority, clock: () => time, random: randomBytes }))
  const stamped = async (): Promise<UnixMillis> => (await tokenOf(await post(query(), undefined, own))).info.genTime
  assert.equal(await stamped(), TEST_TIME + 10_000)
  time = TEST_TIME + 9000
  assert.equal(await stamped(), TEST_TIME + 10_000)
  time = TEST_TIME + 8999
  const refused = await post(query(), undefined, own)
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '5')
  time = TEST_TIME + 11_000
  assert.equal(await stamped(), TEST_TIME + 11_000)
})

test('stamps nothing before or after its certificate’s time', async () => {
  const leaf = authority.chain[0]
  assert.ok(leaf)
  for (const time of [leaf.notBefore - 2000, leaf.notAfter + 1]) {
    const own = router(await timestampAuthorityRoutes({ ...authority, clock: () => time, random: randomBytes }))
    assert.equal((await post(query(), undefined, own)).status, 503)
  }
  now = TEST_TIME
})

test('a chain that cannot be used is refused at the start', async () => {
  const good = await createTestTsa()
  const { root, intermediate, leaf } = good
  const certificates = (
    ...list: readonly { certificate: (typeof leaf)['certificate'] }[]
  ): (typeof leaf)['certificate'][] => list.map(({ certificate }) => certificate)
  await checkTimestampChain(leaf.key, certificates(leaf, intermediate, root))
  const withLeaf = (spec: Parameters<typeof tsaLeafSpec>[0]) =>
    issueCertificate(tsaLeafSpec({ key: leaf.key, ...spec }), intermediate)
  const twoUsages = await withLeaf({ extendedKeyUsage: [EKU.timeStamping, EKU.codeSigning] })
  const uncritical = await withLeaf({ extendedKeyUsageCritical: false })
  const authorityLeaf = await withLeaf({ basicConstraints: { ca: true, pathLength: undefined } })
  const otherUsage = await issueCertificate(
    intermediateSpec({ key: intermediate.key, subject: { commonName: 'test tsa intermediate' } }),
    root,
  )
  const noAuthority = await issueCertificate(
    intermediateSpec({
      key: intermediate.key,
      basicConstraints: null,
      extendedKeyUsage: [EKU.timeStamping],
      subject: { commonName: 'test tsa intermediate' },
    }),
    root,
  )
  const otherRoot = await issueCertificate(rootSpec({ subject: { commonName: 'test tsa root' } }))
  const bad = [
    certificates(leaf),
    [],
    certificates(intermediate, root),
    certificates(leaf, root, intermediate),
    certificates(leaf, intermediate, otherRoot),
    certificates(twoUsages, intermediate, root),
    certificates(uncritical, intermediate, root),
    certificates(authorityLeaf, intermediate, root),
    certificates(leaf, otherUsage, root),
    certificates(leaf, noAuthority, root),
  ]
  for (const chain of bad) await assert.rejects(checkTimestampChain(leaf.key, chain), { code: 'STAMPING_CHAIN' })
  const stranger = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  await assert.rejects(checkTimestampChain(stranger, certificates(leaf, intermediate, root)), {
    code: 'STAMPING_CHAIN',
  })
})
