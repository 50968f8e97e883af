/** Policies, requirements, thresholds, and the report of a refusal. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TEST_TIME } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { createTestRekor } from '#testing/pki/rekor'
import { signMessage } from '#testing/pki/signed-entity'
import { createTestTsa } from '#testing/pki/tsa'
import { ALICE, assertRefused, requestFor } from '#testing/verifying'
import { VerificationError } from './errors.js'
import type { Policy } from './identity/identity-policy.js'
import type { Requirements } from './requirements.js'
import { verify } from './verify.js'

const pki = await createTestPki()

test('evidence of two logs and two authorities counts twice, of one only once', async () => {
  const second = { log: await createTestRekor({ version: 1, host: 'second.test.example' }), tsa: await createTestTsa() }
  const tsa = { ...second.tsa.trusted, uri: 'https://second-tsa.test.example' }
  const trust = {
    ...pki.trusted,
    tlogs: [...pki.trusted.tlogs, second.log.trusted],
    timestampAuthorities: [...pki.trusted.timestampAuthorities, tsa],
  }
  const one = { shape: 'v1-hashedrekord' } as const
  const twice = await signMessage(pki, { logs: [one, one], timestamps: [{}, {}] })
  const both = await signMessage(pki, {
    logs: [one, { ...one, log: second.log }],
    timestamps: [{}, { signer: second.tsa.leaf }],
  })

  const needs = (requirements: Partial<Requirements>) => ({ requirements })
  await verify(requestFor(both, trust, needs({ transparencyLogs: 2, timestampAuthorities: 2, timeSources: 4 })))
  await assertRefused(requestFor(both, trust, needs({ timeSources: 5 })), 'VERIFY_TIME_MISSING', 'verified-time')
  await verify(requestFor(twice, trust))
  await assertRefused(requestFor(twice, trust, needs({ transparencyLogs: 2 })), 'VERIFY_LOG_THRESHOLD', 'log-threshold')
  await assertRefused(
    requestFor(twice, trust, needs({ timestampAuthorities: 2 })),
    'VERIFY_TIMESTAMP_THRESHOLD',
    'timestamp',
  )
  await assertRefused(requestFor(twice, trust, needs({ timeSources: 3 })), 'VERIFY_TIME_MISSING', 'verified-time')

  // The same authority or log under a second entry of the trusted root is still one witness.
  const doubled = {
    ...trust,
    timestampAuthorities: [
      ...pki.trusted.timestampAuthorities,
      { ...pki.trusted.timestampAuthorities[0]!, validFor: { start: 0 } },
    ],
  }
  await assertRefused(
    requestFor(twice, doubled, needs({ timestampAuthorities: 2 })),
    'VERIFY_TIMESTAMP_THRESHOLD',
    'timestamp',
  )
  const owned = { ...trust, tlogs: trust.tlogs.map((log) => ({ ...log, operator: 'example.com' })) }
  await assertRefused(requestFor(both, owned, needs({ transparencyLogs: 2 })), 'VERIFY_LOG_THRESHOLD', 'log-threshold')
})

test('without a policy that names somebody nothing is verified', async () => {
  const signed = await signMessage(pki)
  const identity = ALICE.kind === 'identities' ? ALICE.anyOf[0]! : assert.fail()
  const policies: readonly Policy[] = [
    { kind: 'identities', anyOf: [] },
    { kind: 'identities', anyOf: [{ ...identity, subject: { exact: '' } }] },
    { kind: 'identities', anyOf: [{ ...identity, issuer: { exact: '' } }] },
    { kind: 'identities', anyOf: [{ subject: identity.subject } as never] },
    { kind: 'identities', anyOf: [{ ...identity, issuer: {} as never }] },
    { kind: 'identities', anyOf: [{ ...identity, subject: { exact: 'a', unsafePattern: 'b' } as never }] },
    { kind: 'identities', anyOf: [{ ...identity, claims: { githubWorkflowRef: { exact: '' } } }] },
  ]
  for (const policy of policies) {
    await assert.rejects(verify(requestFor(signed, pki.trusted, { policy })), { code: 'VERIFY_POLICY', report: [] })
  }
  const any = await verify(requestFor(signed, pki.trusted, { policy: { kind: 'unsafe-any-identity' } }))
  assert.equal(any.report.find(({ name }) => name === 'identity')?.status, 'skipped')
})

test('requirements that make no sense are refused before anything is looked at', async () => {
  const signed = await signMessage(pki)
  for (const requirements of [
    { transparencyLogs: -1 },
    { timeSources: 0.5 },
    { certificateLogs: NaN },
    { timeSources: 0 },
  ]) {
    await assert.rejects(verify(requestFor(signed, pki.trusted, { requirements })), { code: 'VERIFY_REQUIREMENTS' })
  }
})

test('a certificate without any verified time is judged now only where that is asked for by name', async () => {
  const signed = await signMessage(pki, { logs: [] })
  const requirements = { transparencyLogs: 0, timeSources: 0, unsafeCurrentTimeIfUnwitnessed: true }
  const ignoringLogs = requestFor(signed, pki.trusted, { requirements: { transparencyLogs: 0 }, now: TEST_TIME })
  await assertRefused(ignoringLogs, 'VERIFY_TIME_MISSING', 'verified-time')
  await assertRefused(requestFor(signed, pki.trusted, { requirements }), 'VERIFY_REQUIREMENTS', 'verified-time')
  const result = await verify(requestFor(signed, pki.trusted, { requirements, now: TEST_TIME }))
  assert.deepEqual(
    result.times.map(({ source }) => source.kind),
    ['current-time'],
  )
  const later = requestFor(signed, pki.trusted, { requirements, now: TEST_TIME + 3_600_000 })
  await assertRefused(later, 'VERIFY_CERTIFICATE_TIME', 'certificate-path')
})

test('with no log asked for, a log’s time is not believed either', async () => {
  const signed = await signMessage(pki)
  const requirements = { transparencyLogs: 0 }
  await assertRefused(
    requestFor(signed, pki.trusted, { requirements, now: TEST_TIME }),
    'VERIFY_TIME_MISSING',
    'verified-time',
  )
})

test('the report of a refusal says what was not reached', async () => {
  const signed = await signMessage(pki)
  const error = await assertRefused(
    requestFor(signed, pki.trusted, { artifact: { kind: 'bytes', bytes: Uint8Array.of(1) } }),
    'VERIFY_LOG_ENTRY_MISMATCH',
    'log-entry-binding',
  )
  assert.ok(error instanceof VerificationError)
  assert.deepEqual(
    error.report.slice(-3).map(({ name, status, detail }) => [name, status, detail.startsWith('not reached')]),
    [
      ['log-threshold', 'skipped', true],
      ['signature', 'skipped', true],
      ['artifact', 'skipped', true],
    ],
  )
  const failed = error.report.find(({ status }) => status === 'failed')
  assert.ok(failed?.expected !== undefined && failed.found !== undefined && failed.hint !== undefined)
})
