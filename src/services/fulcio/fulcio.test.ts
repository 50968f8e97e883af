import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { publicKeyToPem } from '#crypto/public-key'
import { requestCertificate, fetchTrustBundle } from '#clients/fulcio/fulcio'
import { encodeBase64 } from '#encoding/base64'
import { encodePem, parsePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import { encodeLeafIndexExtension, parseSctList } from '#formats/sct/sct'
import { precertEntry } from '#formats/sct/sct-entry'
import { verifySct } from '#formats/sct/verify-sct'
import { buildCertificateRequest } from '#formats/x509/certificate-request'
import type { Certificate } from '#formats/x509/certificate'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import { encodeName } from '#formats/x509/name'
import { EXTENSION } from '#formats/x509/oids'
import { certificateToPem, certificatesFromPem, parseCertificate } from '#formats/x509/parse-certificate'
import { TEST_TIME, intermediateSpec, issueCertificate, rootSpec } from '#testing/pki/certificate'
import type { TestCtLog } from '#testing/pki/ct-log'
import { createTestCtLog } from '#testing/pki/ct-log'
import type { TestOidcIssuer } from '#testing/pki/oidc-issuer'
import { createTestOidcIssuer } from '#testing/pki/oidc-issuer'
import { openssl } from '#testing/pki/openssl'
import type { UnixMillis } from '#time'
import type { Handler } from '#serving/handler'
import { fetchInProcess } from '#serving/in-process'
import { router } from '#serving/routes'
import type { NewCertificateAuthority } from './authority.js'
import { checkAuthority, createCertificateAuthority } from './authority.js'
import { emailIssuerConfig } from './config.js'
import type { CtLogPort } from './ct-log.js'
import type { CertificateAuthorityOptions } from './fulcio.js'
import { certificateAuthorityRoutes } from './fulcio.js'

let oidc: TestOidcIssuer
let authority: NewCertificateAuthority
let log: TestCtLog
let key: PrivateKey
let submitted: (readonly Uint8Array[])[] = []
let now: UnixMillis = TEST_TIME + 345
let handler: Handler

function logPort(
  sign: (entry: Parameters<TestCtLog['sign']>[0]) => Promise<Uint8Array> = (entry) =>
    log.sign(entry, { extensions: encodeLeafIndexExtension(7n) }),
): CtLogPort {
  return {
    key: log.key.publicKey,
    submitPrecertificate: (chain) => {
      submitted.push(chain)
      const [precertificate, issuer] = chain.map(parseCertificate)
      assert.ok(precertificate && issuer)
      return sign(precertEntry(precertificate, issuer.spki))
    },
  }
}

async function start(change: Partial<CertificateAuthorityOptions> = {}): Promise<Handler> {
  const options = {
    authority,
    config: emailIssuerConfig(oidc.url),
    ctLog: logPort(),
    fetch: oidc.fetch,
    clock: () => now,
    random: randomBytes,
  }
  return router(await certificateAuthorityRoutes({ ...options, ...change }))
}

before(async () => {
  oidc = await createTestOidcIssuer()
  authority = await createCertificateAuthority({ organization: 'test.example', now, random: randomBytes })
  log = await createTestCtLog()
  key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  handler = await start()
})

interface Body {
  credentials?: unknown
  publicKeyRequest?: { publicKey: { algorithm?: string; content: string }; proofOfPossession: string }
  certificateSigningRequest?: string
}

async function requestBody(
  change: { token?: string; name?: string; key?: PrivateKey; proofKey?: PrivateKey } = {},
): Promise<Body> {
  const own = change.key ?? key
  const proof = await (change.proofKey ?? own).sign(encodeUtf8(change.name ?? 'alice@example.com'))
  return {
    credentials: { oidcIdentityToken: change.token ?? (await oidc.token()) },
    publicKeyRequest: {
      publicKey: { algorithm: 'ECDSA', content: publicKeyToPem(own.publicKey) },
      proofOfPossession: encodeBase64(proof),
    },
  }
}

function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  to: Handler = handler,
): Promise<Response> {
  return to(
    new Request(`http://fulcio${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    }),
  )
}

async function issued(response: Response): Promise<Certificate> {
  const text = await response.text()
  assert.equal(response.status, 200, text)
  const answer = JSON.parse(text) as { signedCertificateEmbeddedSct: { chain: { certificates: string[] } } }
  const { certificates } = answer.signedCertificateEmbeddedSct.chain
  assert.deepEqual(
    certificates.slice(1),
    authority.chain.map((each) => certificateToPem(each).trimEnd()),
  )
  const [leaf] = certificatesFromPem(certificates[0] ?? '')
  assert.ok(leaf)
  return leaf
}

async function refused(response: Response, status: number, message?: string): Promise<string> {
  const answer = (await response.json()) as { code: number; message: string; details: { reason?: string }[] }
  assert.equal(response.status, status, answer.message)
  if (message !== undefined) assert.equal(answer.message, message)
  assert.equal(answer.code, status === 400 ? 3 : 13)
  return answer.details[0]?.reason ?? ''
}

test('issues a certificate of Fulcio’s profile, extension for extension', async () => {
  submitted = []
  const leaf = await issued(await post('/api/v2/signingCert', await requestBody()))
  assert.deepEqual(
    [...leaf.extensions].map(([oid, { critical }]) => `${oid}${critical ? '!' : ''}`),
    [
      `${EXTENSION.keyUsage}!`,
      EXTENSION.extendedKeyUsage,
      EXTENSION.subjectKeyId,
      EXTENSION.authorityKeyId,
      `${EXTENSION.subjectAltName}!`,
      '1.3.6.1.4.1.57264.1.1',
      '1.3.6.1.4.1.57264.1.8',
      '1.3.6.1.4.1.57264.1.24',
      EXTENSION.sctList,
    ],
  )
  assert.equal(leaf.subject.text, '')
  assert.deepEqual(leaf.subjectAltNames, [{ kind: 'email', value: 'alice@example.com' }])
  assert.deepEqual(leaf.fulcio, { issuerV1: oidc.url, issuer: oidc.url, tokenSubject: 'subject-1' })
  assert.deepEqual([leaf.notBefore, leaf.notAfter], [TEST_TIME, TEST_TIME + 600_000])
  assert.deepEqual(leaf.spki, key.publicKey.spki)
  await verifyCertificateSignature(leaf, authority.key.publicKey)
  const [sct] = parseSctList(leaf.sctList ?? new Uint8Array())
  assert.ok(sct)
  await verifySct(sct, precertEntry(leaf, authority.key.publicKey.spki), log.key.publicKey)
  const [precertificate, ...rest] = submitted[0] ?? []
  assert.deepEqual(
    rest,
    authority.chain.map(({ der }) => der),
  )
  const poisoned = parseCertificate(precertificate ?? new Uint8Array())
  assert.equal(poisoned.extensions.get(EXTENSION.precertificatePoison)?.critical, true)
  assert.deepEqual(poisoned.serialNumber, leaf.serialNumber)
})

test('OpenSSL verifies the chain', async () => {
  const leaf = await issued(await post('/api/v2/signingCert', await requestBody()))
  const [intermediate, root] = authority.chain
  assert.ok(intermediate && root)
  const inputs = {
    leaf: certificateToPem(leaf),
    intermediate: certificateToPem(intermediate),
    root: certificateToPem(root),
  }
  const args = [
    'verify',
    '-x509_strict',
    '-attime',
    String(TEST_TIME / 1000),
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
})

test('serves the countersign client', async () => {
  const service = { fetch: fetchInProcess(handler), baseUrl: 'http://fulcio' }
  const identityToken = await oidc.token()
  const proofOfPossession = await key.sign(encodeUtf8('alice@example.com'))
  const { chain } = await requestCertificate(service, { identityToken, publicKey: key.publicKey, proofOfPossession })
  assert.equal(chain.length, 3)
  assert.deepEqual(await fetchTrustBundle(service), [authority.chain.map(({ der }) => der)])
})

const KEYS: readonly AlgorithmName[] = [
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'ed25519',
]
for (const name of KEYS) {
  test(`issues for a key of ${name}, by proof and by CSR`, async () => {
    const own = await generatePrivateKey(name)
    const leaf = await issued(await post('/api/v2/signingCert', await requestBody({ key: own })))
    assert.deepEqual(leaf.spki, own.publicKey.spki)
    const csr = encodePem(
      'CERTIFICATE REQUEST',
      await buildCertificateRequest(encodeName({ commonName: 'ignored' }), own),
    )
    const body = {
      credentials: { oidcIdentityToken: await oidc.token() },
      certificateSigningRequest: encodeBase64(encodeUtf8(csr)),
    }
    const fromCsr = await issued(await post('/api/v2/signingCert', body))
    assert.deepEqual([fromCsr.spki, fromCsr.subject.text], [own.publicKey.spki, ''])
  })
}

test('takes the token from the header, snake_case names, unknown fields, and a key in DER', async () => {
  const body = await requestBody()
  const proof = body.publicKeyRequest?.proofOfPossession
  const content = body.publicKeyRequest?.publicKey.content
  const snake = { unknown: 1, public_key_request: { extra: {}, public_key: { content }, proof_of_possession: proof } }
  await issued(await post('/api/v2/signingCert', snake, { authorization: `Bearer ${await oidc.token()}` }))
})

test('without a CT log the SCT is detached, and empty', async () => {
  const own = await start({ ctLog: undefined })
  const response = await post('/api/v2/signingCert', await requestBody(), {}, own)
  const answer = (await response.json()) as {
    signedCertificateDetachedSct: { chain: { certificates: string[] }; signedCertificateTimestamp: string }
  }
  assert.equal(answer.signedCertificateDetachedSct.signedCertificateTimestamp, '')
  const [leaf] = certificatesFromPem(answer.signedCertificateDetachedSct.chain.certificates[0] ?? '')
  assert.equal(leaf?.sctList, undefined)
})

test('v1: 201, a PEM chain, the token in the header only', async () => {
  const body = {
    publicKey: { algorithm: 'ecdsa', content: encodeBase64(key.publicKey.spki) },
    signedEmailAddress: encodeBase64(await key.sign(encodeUtf8('alice@example.com'))),
  }
  const response = await post('/api/v1/signingCert', body, { authorization: `Bearer ${await oidc.token()}` })
  assert.equal(response.status, 201)
  assert.equal(response.headers.get('content-type'), 'application/pem-certificate-chain')
  const text = await response.text()
  assert.equal(certificatesFromPem(text).length, 3)
  assert.ok(!text.endsWith('\n') && !text.includes('\n\n'))
  assert.equal(await refused(await post('/api/v1/signingCert', body), 400), 'ISSUING_TOKEN')
  const rootCert = await (await handler(new Request('http://fulcio/api/v1/rootCert'))).text()
  assert.deepEqual(
    certificatesFromPem(rootCert).map(({ der }) => der),
    authority.chain.map(({ der }) => der),
  )
})

test('shows its configuration', async () => {
  const response = await handler(new Request('http://fulcio/api/v2/configuration'))
  assert.deepEqual(await response.json(), {
    issuers: [
      {
        issuerUrl: oidc.url,
        audience: 'sigstore',
        challengeClaim: 'email',
        spiffeTrustDomain: '',
        issuerType: 'email',
        subjectDomain: '',
        skipEmailVerification: false,
      },
    ],
  })
})

const PROOF = 'The signature supplied in the request could not be verified'
const KEY = 'The public key supplied in the request could not be parsed'
const INSECURE = 'The public key supplied in the request is insecure'
const CSR = 'The certificate signing request could not be parsed'

test('refuses a proof by another key, over another name, or none', async () => {
  const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const bodies = [
    await requestBody({ proofKey: other }),
    await requestBody({ name: 'bob@example.com' }),
    await requestBody({ name: 'subject-1' }),
  ]
  const empty = await requestBody()
  assert.ok(empty.publicKeyRequest)
  empty.publicKeyRequest.proofOfPossession = ''
  for (const body of [...bodies, empty]) {
    assert.equal(await refused(await post('/api/v2/signingCert', body), 400, PROOF), 'ISSUING_PROOF')
  }
})

const RSA_1024 = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDIfmoQbOVQSyd0/UkGbUXmCbL7
VEiKOSxyJcGwdoVp1GVFQ0FBRM9BlTwQfHQn+W4XjfEmRKC3SdKWWGDi02lG7vV+
GxHBLDkbVaESUuhlXz1ZBKrGLeAPrq5t6mKvLXBCVGWDVjBoOELUOBdDxQGQVOyD
4KcaG0Sm8Uxl0HOFcwIDAQAB
-----END PUBLIC KEY-----
`

test('refuses keys that cannot be read or are too weak', async () => {
  const withKey = async (content: string): Promise<Body> => {
    const body = await requestBody()
    return {
      ...body,
      publicKeyRequest: { publicKey: { content }, proofOfPossession: body.publicKeyRequest?.proofOfPossession ?? '' },
    }
  }
  const certificate = authority.chain.map(certificateToPem).join('')
  for (const content of ['', 'key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n', certificate]) {
    assert.equal(
      await refused(await post('/api/v2/signingCert', await withKey(content)), 400, KEY),
      'ISSUING_PUBLIC_KEY',
    )
  }
  assert.equal(
    await refused(await post('/api/v2/signingCert', await withKey(RSA_1024)), 400, INSECURE),
    'ISSUING_KEY_INSECURE',
  )
})

test('refuses signing requests that cannot be read, are forged, or hash with something else', async () => {
  const csrBody = async (csr: Uint8Array): Promise<Body> => ({
    credentials: { oidcIdentityToken: await oidc.token() },
    certificateSigningRequest: encodeBase64(csr),
  })
  for (const csr of [
    encodeUtf8('csr'),
    encodeUtf8('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n'),
  ]) {
    assert.equal(await refused(await post('/api/v2/signingCert', await csrBody(csr)), 400, CSR), 'ISSUING_CSR')
  }
  const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const forged = await buildCertificateRequest(encodeName({}), { ...key, sign: (input) => other.sign(input) })
  assert.equal(await refused(await post('/api/v2/signingCert', await csrBody(forged)), 400, PROOF), 'ISSUING_PROOF')
  const p384 = await openssl(['ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', 'k'], { output: 'k' })
  const mismatched = await openssl(['req', '-new', '-key', 'k', '-sha256', '-subj', '/CN=x', '-out', 'csr'], {
    inputs: { k: p384.output },
    output: 'csr',
  })
  assert.equal(parsePem(new TextDecoder().decode(mismatched.output)).length, 1)
  assert.equal(
    await refused(await post('/api/v2/signingCert', await csrBody(mismatched.output)), 400),
    'ISSUING_ALGORITHM',
  )
})

test('refuses bodies that are no request', async () => {
  const both = { ...(await requestBody()), certificateSigningRequest: encodeBase64(encodeUtf8('x')) }
  for (const body of ['', '[]', '{', both, { credentials: 'x' }, { publicKeyRequest: { proofOfPossession: '***' } }]) {
    await refused(await post('/api/v2/signingCert', body), 400)
  }
  assert.equal((await post('/api/v2/signingCert', `"${'x'.repeat(300_000)}"`)).status, 413)
})

test('says nothing of the token in any answer', async () => {
  const token = await oidc.token({ aud: 'another' })
  const response = await post('/api/v2/signingCert', await requestBody({ token }))
  const text = await response.text()
  for (const part of token.split('.')) assert.ok(!text.includes(part))
})

const BAD_LOGS: readonly (readonly [name: string, port: () => Promise<CtLogPort>])[] = [
  [
    'is away',
    () => Promise.resolve({ key: log.key.publicKey, submitPrecertificate: () => Promise.reject(new Error('down')) }),
  ],
  ['answers with nothing', () => Promise.resolve(logPort(() => Promise.resolve(new Uint8Array())))],
  [
    'signs something else',
    () => Promise.resolve(logPort(() => log.sign({ kind: 'x509', certificate: new Uint8Array(9) }))),
  ],
  [
    'is another log',
    async () => {
      const other = await createTestCtLog()
      return logPort((entry) => other.sign(entry))
    },
  ],
  [
    'corrupts its signature',
    () =>
      Promise.resolve(logPort((entry) => log.sign(entry, { corrupt: (sct) => sct.with(-1, (sct.at(-1) ?? 0) ^ 1) }))),
  ],
]
for (const [name, port] of BAD_LOGS) {
  test(`issues nothing while the CT log ${name}`, async () => {
    const own = await start({ ctLog: await port() })
    await refused(
      await post('/api/v2/signingCert', await requestBody(), {}, own),
      500,
      'Error entering certificate in CTL',
    )
  })
}

test('issues nothing that would outlive the authority', async () => {
  const [issuing] = authority.chain
  assert.ok(issuing)
  let time = TEST_TIME
  const own = await start({ clock: () => time })
  await issued(await post('/api/v2/signingCert', await requestBody(), {}, own))
  time = issuing.notAfter - 300_000
  const token = await oidc.token({ exp: Math.floor(issuing.notAfter / 1000) })
  await refused(
    await post('/api/v2/signingCert', await requestBody({ token }), {}, own),
    500,
    'error communicating with CA backend',
  )
})

test('an authority that cannot issue is refused at the start', async () => {
  await checkAuthority(authority, now)
  const root = await issueCertificate(rootSpec())
  const make = async (spec: Parameters<typeof intermediateSpec>[0]) => {
    const { certificate, key: own } = await issueCertificate(intermediateSpec(spec), root)
    return { key: own, chain: [certificate, root.certificate] }
  }
  const good = await make({})
  await checkAuthority(good, now)
  await checkAuthority({ key: root.key, chain: [root.certificate] }, now)
  const bad = [
    { key: good.key, chain: [] },
    { key: root.key, chain: good.chain },
    { key: good.key, chain: good.chain.slice(0, 1) },
    { key: good.key, chain: [...good.chain.slice(0, 1), authority.chain[1] ?? root.certificate] },
    await make({ extendedKeyUsage: null }),
    await make({ basicConstraints: null }),
    await make({ keyUsage: ['digitalSignature'] }),
    await make({ notAfter: TEST_TIME }),
    await make({ notBefore: TEST_TIME + 60_000 }),
  ]
  for (const each of bad) await assert.rejects(checkAuthority(each, now), { code: 'FULCIO_CONFIG_CHAIN' })
  await assert.rejects(start({ authority: { key, chain: authority.chain } }), { code: 'FULCIO_CONFIG_CHAIN' })
  now = TEST_TIME + 345
})

test('an issuer with its own authority needs a door that trusts it', async () => {
  const issuer = { issuerUrl: oidc.url, clientId: 'sigstore', type: 'email', caCert: 'pem' } as const
  const config = { issuers: new Map([[oidc.url, issuer]]), metaIssuers: new Map(), ciProviders: new Map() }
  await assert.rejects(start({ config }), { code: 'FULCIO_CONFIG_ISSUER' })
  const asked: string[] = []
  const own = await start({
    config,
    fetchFor: ({ caCert }) => {
      asked.push(caCert ?? '')
      return oidc.fetch
    },
  })
  await issued(await post('/api/v2/signingCert', await requestBody(), {}, own))
  assert.deepEqual(asked, ['pem'])
})
