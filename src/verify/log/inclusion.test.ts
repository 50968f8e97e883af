/** Log entries that nothing proves: promises, proofs, checkpoints, log keys, and how many logs there are. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { noteSignerForKey } from '#formats/note/sign'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import { TEST_TIME } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { createTestRekor } from '#testing/pki/rekor'
import { signMessage } from '#testing/pki/signed-entity'
import type { LogRequest, SignedArtifact } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import type { VerificationErrorCode } from '../errors.js'
import type { CheckName } from '../report.js'
import { verify } from '../verify.js'

const pki = await createTestPki()
const timestamps = [{}]

function withEntries(signed: SignedArtifact, logEntries: readonly LogEntry[]): SignedArtifact {
  return { ...signed, entity: { ...signed.entity, logEntries } }
}

async function refuse(
  signed: SignedArtifact,
  code: VerificationErrorCode,
  check: CheckName,
  trust: TrustedRoot = pki.trusted,
): Promise<void> {
  await assertRefused(requestFor(signed, trust), code, check)
}

async function refuseLog(log: LogRequest, code: VerificationErrorCode, check: CheckName): Promise<void> {
  await refuse(await signMessage(pki, { logs: [log], timestamps }), code, check)
}

const trusting = (...tlogs: readonly TrustedLog[]): TrustedRoot => ({ ...pki.trusted, tlogs })

test('entries that nothing proves', async () => {
  await refuseLog({ shape: 'v1-hashedrekord', without: ['promise', 'proof'] }, 'VERIFY_LOG_INCLUSION', 'log-inclusion')
  await refuseLog(
    { shape: 'v1-hashedrekord', without: ['promise', 'checkpoint'] },
    'VERIFY_LOG_INCLUSION',
    'log-inclusion',
  )
  await refuseLog({ shape: 'v2-hashedrekord', without: ['proof'] }, 'VERIFY_LOG_INCLUSION', 'log-inclusion')
  await refuseLog({ shape: 'v2-hashedrekord', without: ['checkpoint'] }, 'VERIFY_LOG_INCLUSION', 'log-inclusion')
})

test('promises that the log did not make', async () => {
  const signed = await signMessage(pki)
  const entry = signed.entity.logEntries[0]!
  const forged: readonly Partial<LogEntry>[] = [
    { integratedTime: TEST_TIME + 1000 },
    { integratedTime: undefined },
    { logIndex: entry.logIndex + 1n },
    { inclusionPromise: Uint8Array.of(1, 2, 3) },
    { inclusionPromise: new Uint8Array(0) },
    { canonicalizedBody: Uint8Array.of(...entry.canonicalizedBody, 32) },
  ]
  for (const change of forged)
    await refuse(withEntries(signed, [{ ...entry, ...change }]), 'VERIFY_LOG_PROMISE', 'log-promise')
})

test('Rekor v2 knows no promises: a made-up one does not give it a time', async () => {
  const signed = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }] })
  await refuse(signed, 'VERIFY_TIME_MISSING', 'verified-time')
  const entry = { ...signed.entity.logEntries[0]!, integratedTime: TEST_TIME }
  await refuse(withEntries(signed, [entry]), 'VERIFY_TIME_MISSING', 'verified-time')
  await refuse(
    withEntries(signed, [{ ...entry, inclusionPromise: randomBytes(64) }]),
    'VERIFY_LOG_PROMISE',
    'log-promise',
  )
})

test('proofs that do not lead to the checkpoint', async () => {
  const log = await createTestRekor({ version: 2, size: 6 }) // so that the proof has two hashes
  const signed = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord', log }], timestamps })
  const entry = signed.entity.logEntries[0]!
  const proof = entry.inclusionProof!
  const changes: readonly (readonly [Partial<typeof proof>, VerificationErrorCode])[] = [
    [{ hashes: proof.hashes.slice(1) }, 'VERIFY_LOG_INCLUSION'],
    [{ hashes: [...proof.hashes, proof.rootHash] }, 'VERIFY_LOG_INCLUSION'],
    [{ hashes: [...proof.hashes].reverse() }, 'VERIFY_LOG_INCLUSION'],
    [{ hashes: proof.hashes.map((hash) => hash.subarray(1)) }, 'VERIFY_LOG_INCLUSION'],
    [{ logIndex: proof.logIndex - 1n }, 'VERIFY_LOG_INCLUSION'],
    [{ logIndex: proof.treeSize }, 'VERIFY_LOG_INCLUSION'],
    [{ logIndex: -1n }, 'VERIFY_LOG_INCLUSION'],
    [{ treeSize: proof.treeSize + 1n }, 'VERIFY_CHECKPOINT'],
    [{ rootHash: proof.hashes[0]! }, 'VERIFY_CHECKPOINT'],
    [{ checkpoint: '' }, 'VERIFY_LOG_INCLUSION'],
    [{ checkpoint: 'x'.repeat(2_000_000) }, 'VERIFY_LOG_INCLUSION'],
  ]
  for (const [change, code] of changes) {
    const spoiled = withEntries(signed, [{ ...entry, inclusionProof: { ...proof, ...change } }])
    await refuse(spoiled, code, 'log-inclusion', trusting(log.trusted))
  }
})

test('a shown index that is not the proved one', async () => {
  const signed = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps })
  const entry = signed.entity.logEntries[0]!
  await refuse(
    withEntries(signed, [{ ...entry, logIndex: entry.logIndex + 1n }]),
    'VERIFY_LOG_INCLUSION',
    'log-inclusion',
  )
})

test('checkpoints of another name with the right key', async () => {
  const names = { 'v1-hashedrekord': 'rekor-v2.test.example - 1', 'v2-hashedrekord': 'another.example' } as const
  for (const shape of ['v1-hashedrekord', 'v2-hashedrekord'] as const) {
    const log = shape === 'v1-hashedrekord' ? pki.rekorV1 : pki.rekorV2
    const origin = names[shape]
    const name = origin.split(' ')[0]!
    const checkpointSigners = [
      noteSignerForKey({ name, key: log.key, rule: shape === 'v1-hashedrekord' ? 'rekor-v1' : 'note' }),
    ]
    await refuseLog({ shape, origin, checkpointSigners }, 'VERIFY_CHECKPOINT', 'log-inclusion')
  }
})

test('an ECDSA log of Rekor v2: its key id does not bind the name, so the name must be the host', async () => {
  const log = await createTestRekor({ version: 2, algorithm: 'ecdsa-sha2-256-nistp256', host: 'ecdsa.test.example' })
  const trust = { ...pki.trusted, tlogs: [log.trusted] }
  const right = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord', log }], timestamps })
  await verify(requestFor(right, trust))
  const checkpointSigners = [noteSignerForKey({ name: 'another.example', key: log.key, rule: 'note' })]
  const wrong = await signMessage(pki, {
    logs: [{ shape: 'v2-hashedrekord', log, origin: 'another.example', checkpointSigners }],
    timestamps,
  })
  await refuse(wrong, 'VERIFY_CHECKPOINT', 'log-inclusion', trust)
})

test('a log whose id the trusted root computes otherwise is found by the name and key of its checkpoint', async () => {
  const { trusted } = pki.rekorV2
  const signed = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps })
  const { checkpointKeyId: _, ...old } = { ...trusted, logId: trusted.key.id }
  await verify(requestFor(signed, trusting(old)))
  await verify(requestFor(signed, trusting({ ...old, baseUrl: pki.rekorV2.origin })))
  const { publicKey } = await generatePrivateKey('ed25519')
  for (const other of [
    { ...old, baseUrl: 'https://another.example' },
    { ...old, baseUrl: '' },
    { ...old, key: publicKey },
  ]) {
    await refuse(signed, 'VERIFY_LOG_THRESHOLD', 'log-threshold', trusting(other))
  }
})

test('a Rekor v1 that is named after its machine, as it is by default', async () => {
  const log = await createTestRekor({ version: 1, host: 'rekor-server-7d9f' })
  const trust = { ...pki.trusted, tlogs: [{ ...log.trusted, baseUrl: 'https://rekor.internal.example' }] }
  await verify(requestFor(await signMessage(pki, { logs: [{ shape: 'v1-hashedrekord', log }] }), trust))
})

test('checkpoints: a signature line of another name, of another key, or none', async () => {
  const stranger = await generatePrivateKey('ed25519')
  const own = pki.rekorV2.key
  const cases = [
    [noteSignerForKey({ name: 'another.example', key: own, rule: 'note' })],
    [noteSignerForKey({ name: pki.rekorV2.origin, key: stranger, rule: 'note' })],
  ]
  for (const checkpointSigners of cases) {
    await refuseLog({ shape: 'v2-hashedrekord', checkpointSigners }, 'VERIFY_LOG_INCLUSION', 'log-inclusion')
  }
})

test('checkpoints: witnesses before and after the log’s own signature, and extension lines', async () => {
  const witness = noteSignerForKey({ name: 'witness.example', key: await generatePrivateKey('ed25519'), rule: 'note' })
  const own = noteSignerForKey({ name: pki.rekorV2.origin, key: pki.rekorV2.key, rule: 'note' })
  for (const checkpointSigners of [
    [own, witness],
    [witness, own],
    [witness, own, witness],
  ]) {
    const logs = [{ shape: 'v2-hashedrekord' as const, checkpointSigners, extensions: ['Log frozen'] }]
    await verify(requestFor(await signMessage(pki, { logs, timestamps }), pki.trusted))
  }
})

test('log keys at other times: the promise’s time, or the time-stamp’s, ends included', async () => {
  const [v1, v2] = [pki.rekorV1.trusted, pki.rekorV2.trusted]
  const promised = await signMessage(pki)
  const proved = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps })
  const exact = { start: TEST_TIME, end: TEST_TIME }
  await verify(requestFor(promised, trusting({ ...v1, validFor: exact })))
  await verify(requestFor(proved, trusting({ ...v2, validFor: exact })))
  for (const validFor of [{ start: TEST_TIME + 1 }, { start: 0, end: TEST_TIME - 1 }, { end: TEST_TIME + 1 }, {}]) {
    await refuse(promised, 'VERIFY_LOG_KEY_VALIDITY', 'log-promise', trusting({ ...v1, validFor }))
    await refuse(proved, 'VERIFY_LOG_KEY_VALIDITY', 'log-inclusion', trusting({ ...v2, validFor }))
  }
  // One key with two periods is one log; the period that fits is found.
  const periods = [{ ...v1, validFor: { start: 0, end: 1 } }, v1]
  await verify(requestFor(promised, trusting(...periods)))
  await assertRefused(
    requestFor(promised, trusting(...periods), { requirements: { transparencyLogs: 2 } }),
    'VERIFY_LOG_THRESHOLD',
    'log-threshold',
  )
})

test('a retired log key and a managed key: without a time nothing says that it signed before', async () => {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const policy = { kind: 'key' as const, key: key.publicKey }
  const signed = await signMessage(pki, { signer: { key }, logs: [{ shape: 'v2-hashedrekord' }] })
  const retired = trusting({ ...pki.rekorV2.trusted, validFor: { start: 0, end: TEST_TIME + 1 } })
  await assertRefused(requestFor(signed, retired, { policy }), 'VERIFY_LOG_KEY_VALIDITY', 'log-inclusion')
  const stamped = await signMessage(pki, { signer: { key }, logs: [{ shape: 'v2-hashedrekord' }], timestamps })
  await verify(requestFor(stamped, retired, { policy }))
})

test('entries of unknown logs do not count and do not harm; those of known logs must be right', async () => {
  const stranger = await createTestRekor({ version: 1, host: 'stranger.example' })
  const shape = 'v1-hashedrekord' as const
  await refuse(
    await signMessage(pki, { logs: [{ shape, log: stranger }], timestamps }),
    'VERIFY_LOG_THRESHOLD',
    'log-threshold',
  )
  const both = await signMessage(pki, { logs: [{ shape, log: stranger }, { shape }] })
  assert.equal((await verify(requestFor(both, pki.trusted))).logEntries.length, 1)
  const [, good] = both.entity.logEntries
  const bad = { ...good!, logIndex: 99n }
  await refuse(withEntries(both, [good!, bad]), 'VERIFY_LOG_PROMISE', 'log-promise')
})

test('an entry twice, and entries without end', async () => {
  const signed = await signMessage(pki)
  const entry = signed.entity.logEntries[0]!
  await refuse(withEntries(signed, [entry, { ...entry }]), 'VERIFY_LOG_ENTRY_DUPLICATE', 'log-promise')
  const many: SignedEntity['logEntries'] = Array.from({ length: 33 }, (_, index) => ({
    ...entry,
    logIndex: BigInt(index),
  }))
  await refuse(withEntries(signed, many), 'VERIFY_LIMIT', 'entity')
})

test('v1 entries across shards: the promise is over the virtual index, the proof over that of the tree', async () => {
  const log = await createTestRekor({ version: 1, indexOffset: 4_163_431n })
  const trust = trusting(log.trusted)
  const signed = await signMessage(pki, { logs: [{ shape: 'v1-hashedrekord', log }] })
  const result = await verify(requestFor(signed, trust))
  assert.ok(result.logEntries[0]!.entry.logIndex > 4_163_431n)
})
