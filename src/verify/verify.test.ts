/** Verification of everything that must be accepted. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALGORITHMS } from '#crypto/algorithms'
import type { AlgorithmName } from '#crypto/algorithms'
import { digest } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { TEST_TIME } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { EntryShape, LogRequest } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import type { Policy } from './identity/identity-policy.js'
import { verify } from './verify.js'

const pki = await createTestPki()
const stamped = { timestamps: [{}] }

test('a message signature in Rekor v1, with everything the result says about it', async () => {
  const signed = await signMessage(pki, { logs: [{ shape: 'v1-hashedrekord' }] })
  const result = await verify(requestFor(signed, pki.trusted))
  assert.ok(result.signer.kind === 'certificate')
  assert.deepEqual(result.signer.identity.subjects, [{ kind: 'email', value: 'alice@example.com' }])
  assert.equal(result.algorithm.name, 'ecdsa-sha2-256-nistp256')
  assert.deepEqual(
    result.times.map((time) => [time.at, time.source.kind]),
    [[TEST_TIME, 'transparency-log']],
  )
  assert.deepEqual(
    result.logEntries.map((entry) => entry.inclusion),
    ['proved'],
  )
  assert.deepEqual(result.certificateLogs, [pki.ctLog.trusted])
  assert.ok(result.report.every(({ status }) => status !== 'failed'))
  assert.deepEqual(
    result.report.filter(({ status }) => status === 'passed').map(({ name }) => name),
    [
      'entity',
      'log-promise',
      'verified-time',
      'certificate-path',
      'certificate-timestamp',
      'identity',
      'log-inclusion',
      'log-entry-binding',
      'log-threshold',
      'signature',
      'artifact',
    ],
  )
})

const MESSAGE_LOGS: readonly (readonly [string, LogRequest])[] = [
  ['promise and proof', { shape: 'v1-hashedrekord' }],
  ['promise alone', { shape: 'v1-hashedrekord', without: ['proof'] }],
  ['promise, and a proof without checkpoint', { shape: 'v1-hashedrekord', without: ['checkpoint'] }],
  ['proof alone', { shape: 'v1-hashedrekord', without: ['promise'] }],
  ['Rekor v2', { shape: 'v2-hashedrekord' }],
]

test('message signatures with every kind of log evidence', async () => {
  for (const [what, log] of MESSAGE_LOGS) {
    const signed = await signMessage(pki, { logs: [log], ...stamped })
    const result = await verify(requestFor(signed, pki.trusted))
    assert.equal(result.logEntries.length, 1, what)
  }
})

test('statements in every kind of entry', async () => {
  const shapes: readonly EntryShape[] = ['v1-dsse', 'v1-intoto', 'v2-hashedrekord', 'v2-dsse']
  for (const shape of shapes) {
    const signed = await signStatement(pki, { logs: [{ shape }], ...stamped })
    const { content } = await verify(requestFor(signed, pki.trusted))
    assert.equal(content.kind === 'statement' && content.subject?.name, 'artifact', shape)
  }
})

const LEAF_ALGORITHMS: readonly AlgorithmName[] = [
  'ecdsa-sha2-256-nistp256',
  'ecdsa-sha2-384-nistp384',
  'ecdsa-sha2-512-nistp521',
  'rsa-sign-pkcs1-2048-sha256',
  'rsa-sign-pkcs1-3072-sha256',
  'rsa-sign-pkcs1-4096-sha256',
]

test('leaves of every algorithm, by bytes and by digest', async () => {
  for (const algorithm of LEAF_ALGORITHMS) {
    const signer = await pki.issueLeaf({ algorithm })
    for (const shape of ['v1-hashedrekord', 'v2-hashedrekord'] as const) {
      const signed = await signMessage(pki, { signer, logs: [{ shape }], ...stamped })
      const request = requestFor(signed, pki.trusted)
      assert.equal((await verify(request)).algorithm.name, algorithm)
      const name = signer.key.algorithm.digest ?? 'sha256'
      const byDigest = { kind: 'digest' as const, digests: { [name]: digest(name, signed.artifact) } }
      assert.equal((await verify({ ...request, artifact: byDigest })).algorithm.name, algorithm)
    }
    const statement = await signStatement(pki, { signer, logs: [{ shape: 'v1-dsse' }] })
    assert.equal((await verify(requestFor(statement, pki.trusted))).algorithm.name, algorithm)
  }
})

test('Ed25519: pure in envelopes, prehashed in hashedrekord entries, told apart', async () => {
  const pure = await pki.issueLeaf({ algorithm: 'ed25519' })
  const statement = await signStatement(pki, { signer: pure, logs: [{ shape: 'v1-dsse' }] })
  assert.equal((await verify(requestFor(statement, pki.trusted))).algorithm.name, 'ed25519')

  const prehashed = await pki.issueLeaf({ algorithm: 'ed25519-ph' })
  const signed = await signMessage(pki, { signer: prehashed, logs: [{ shape: 'v2-hashedrekord' }], ...stamped })
  const request = requestFor(signed, pki.trusted)
  assert.equal((await verify(request)).algorithm.name, 'ed25519-ph')
  const byDigest = { kind: 'digest' as const, digests: { sha512: digest('sha512', signed.artifact) } }
  assert.equal((await verify({ ...request, artifact: byDigest })).algorithm.name, 'ed25519-ph')

  const unlogged = await signMessage(pki, { signer: pure, logs: [] })
  const changes = {
    requirements: { transparencyLogs: 0, timeSources: 0, unsafeCurrentTimeIfUnwitnessed: true },
    now: TEST_TIME,
  }
  const whole = requestFor(unlogged, pki.trusted, changes)
  assert.equal((await verify(whole)).algorithm.name, 'ed25519')
  const digests = { sha256: digest('sha256', unlogged.artifact), sha512: digest('sha512', unlogged.artifact) }
  const error = await assertRefused(
    { ...whole, artifact: { kind: 'digest', digests } },
    'VERIFY_SIGNATURE',
    'signature',
  )
  assert.match(error.hint ?? '', /file/)
})

test('old signatures of P-384 and P-521 keys with SHA-256', async () => {
  for (const algorithm of ['ecdsa-sha2-384-nistp384', 'ecdsa-sha2-512-nistp521'] as const) {
    const { certificate, key } = await pki.issueLeaf({ algorithm })
    const { createPrivateKey, sign } = await import('node:crypto')
    const old = createPrivateKey({ key: Buffer.from(key.exportPkcs8()), format: 'der', type: 'pkcs8' })
    const signer = {
      certificate,
      key: { ...key, sign: (data: Uint8Array) => Promise.resolve(new Uint8Array(sign('sha256', data, old))) },
    }
    const signed = await signMessage(pki, {
      signer: signer as never,
      digest: 'sha256',
      logs: [{ shape: 'v1-hashedrekord' }],
    })
    assert.match((await verify(requestFor(signed, pki.trusted))).algorithm.name, /^ecdsa-sha2-256-/)
  }
})

test('managed keys: logged, unlogged when asked for, within their period of use', async () => {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const policy: Policy = { kind: 'key', key: key.publicKey }
  for (const shape of ['v1-hashedrekord', 'v2-hashedrekord'] as const) {
    const signed = await signMessage(pki, { signer: { key }, logs: [{ shape }] })
    const result = await verify(requestFor(signed, pki.trusted, { policy }))
    assert.equal(result.signer.kind, 'key')
  }
  const unlogged = await signMessage(pki, { signer: { key }, logs: [] })
  await assertRefused(requestFor(unlogged, pki.trusted, { policy }), 'VERIFY_LOG_THRESHOLD', 'log-threshold')
  const requirements = { transparencyLogs: 0 }
  await verify(requestFor(unlogged, pki.trusted, { policy, requirements }))

  const logged = await signMessage(pki, { signer: { key } })
  await verify(
    requestFor(logged, pki.trusted, { policy: { ...policy, validFor: { start: TEST_TIME, end: TEST_TIME } } }),
  )
  const late = { ...policy, validFor: { start: TEST_TIME + 1 } }
  await assertRefused(requestFor(logged, pki.trusted, { policy: late }), 'VERIFY_KEY_VALIDITY', 'key-validity')
})

test('managed keys of every other algorithm, and no other algorithm than the policy names', async () => {
  for (const name of [
    'ml-dsa-44',
    'ml-dsa-65',
    'ml-dsa-87',
    'rsa-sign-pss-2048-sha256',
    'ed25519',
    'ed25519-ph',
  ] as const) {
    const key = await generatePrivateKey(name)
    const policy: Policy = { kind: 'key', key: key.publicKey, algorithm: key.algorithm }
    const requirements = { transparencyLogs: 0 }
    for (const signed of [
      await signMessage(pki, { signer: { key }, logs: [] }),
      await signStatement(pki, { signer: { key }, logs: [] }),
    ]) {
      const request = requestFor(signed, pki.trusted, { policy, requirements })
      assert.equal((await verify(request)).algorithm.name, name)
      const spoiled = { ...signed, artifact: Uint8Array.of(1) }
      const content = signed.entity.content.kind === 'dsse' ? 'VERIFY_SUBJECT' : 'VERIFY_SIGNATURE'
      const check = content === 'VERIFY_SUBJECT' ? 'artifact' : 'signature'
      await assertRefused(requestFor(spoiled, pki.trusted, { policy, requirements }), content, check)
      const wrong = { ...policy, algorithm: ALGORITHMS['ecdsa-sha2-256-nistp256'] }
      await assertRefused({ ...request, policy: wrong }, 'VERIFY_SIGNATURE', 'signature')
    }
  }
})

test('a key is not a certificate, nor the other way round', async () => {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const byKey = await signMessage(pki, { signer: { key } })
  await assertRefused(requestFor(byKey, pki.trusted), 'VERIFY_CERTIFICATE_EXPECTED', 'entity')
  const byCertificate = await signMessage(pki)
  await assertRefused(
    requestFor(byCertificate, pki.trusted, { policy: { kind: 'key', key: key.publicKey } }),
    'VERIFY_KEY_EXPECTED',
    'entity',
  )
  const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const policy: Policy = { kind: 'key', key: other.publicKey }
  await assertRefused(requestFor(byKey, pki.trusted, { policy }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  await assertRefused(
    requestFor(byKey, pki.trusted, { policy, requirements: { transparencyLogs: 0 } }),
    'VERIFY_SIGNATURE',
    'signature',
  )
})
