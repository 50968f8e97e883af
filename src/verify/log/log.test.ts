/** Log entries that must not count: another artifact, signature or signer, another log, no proof, a wrong time. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { noteSignerForKey } from '#formats/note/sign'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import { TEST_TIME } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { createTestRekor } from '#testing/pki/rekor'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { EntryShape, LogRequest, SignedArtifact } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import type { VerificationErrorCode } from '../errors.js'
import type { CheckName } from '../report.js'
import { verify } from '../verify.js'

const pki = await createTestPki()
const timestamps = [{}]
const DSSE_SHAPES: readonly EntryShape[] = ['v1-dsse', 'v1-intoto', 'v2-hashedrekord', 'v2-dsse']
const MESSAGE_SHAPES: readonly EntryShape[] = ['v1-hashedrekord', 'v2-hashedrekord']

function withEntries(signed: SignedArtifact, logEntries: readonly LogEntry[]): SignedArtifact {
  return { ...signed, entity: { ...signed.entity, logEntries } }
}

async function refuse(signed: SignedArtifact, code: VerificationErrorCode, check: CheckName, trust: TrustedRoot = pki.trusted): Promise<void> {
  await assertRefused(requestFor(signed, trust), code, check)
}

async function refuseLog(log: LogRequest, code: VerificationErrorCode, check: CheckName): Promise<void> {
  await refuse(await signMessage(pki, { logs: [log], timestamps }), code, check)
}

test('an entry for another artifact, signed by the same certificate', async () => {
  const signer = await pki.issueLeaf()
  for (const shape of MESSAGE_SHAPES) {
    const one = await signMessage(pki, { signer, logs: [{ shape }], timestamps })
    const other = await signMessage(pki, { signer, logs: [{ shape }], timestamps, artifact: encodeUtf8('another') })
    await refuse(withEntries(one, other.entity.logEntries), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
  for (const shape of DSSE_SHAPES) {
    const one = await signStatement(pki, { signer, logs: [{ shape }], timestamps })
    const other = await signStatement(pki, { signer, logs: [{ shape }], timestamps, artifact: encodeUtf8('another') })
    await refuse(withEntries(one, other.entity.logEntries), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
})

test('an entry for another signature over the same artifact', async () => {
  const signer = await pki.issueLeaf()
  const [one, other] = [await signMessage(pki, { signer }), await signMessage(pki, { signer })]
  await refuse(withEntries(one, other.entity.logEntries), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('an entry that names another certificate of the same key', async () => {
  const signer = await pki.issueLeaf()
  const twin = await pki.issueLeaf({ key: signer.key })
  const verifier = { kind: 'certificate' as const, certificate: twin.certificate.der, chain: [] }
  for (const shape of MESSAGE_SHAPES) {
    await refuse(await signMessage(pki, { signer, logs: [{ shape, verifier }], timestamps }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
  for (const shape of DSSE_SHAPES) {
    await refuse(await signStatement(pki, { signer, logs: [{ shape, verifier }], timestamps }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
})

test('an entry that names the bare key of the certificate, or another key', async () => {
  const signer = await pki.issueLeaf()
  const verifier = { kind: 'public-key' as const, spki: signer.key.publicKey.spki }
  await refuse(await signMessage(pki, { signer, logs: [{ shape: 'v1-hashedrekord', verifier }] }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')

  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const logs = [{ shape: 'v1-hashedrekord' as const, verifier }]
  const policy = { kind: 'key' as const, key: key.publicKey }
  const byKey = await signMessage(pki, { signer: { key }, logs })
  await assertRefused(requestFor(byKey, pki.trusted, { policy }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('the right signature with the hash of another payload', async () => {
  const rewriteBody = (body: Uint8Array): Uint8Array => {
    return encodeUtf8(decodeUtf8(body).replace(/("payloadHash":\{[^}]*?"(?:value|digest)":")(..)/, (_, start: string, first: string) => `${start}${first === 'ab' ? 'cd' : 'ab'}`))
  }
  for (const shape of ['v1-dsse', 'v1-intoto', 'v2-dsse'] as const) {
    const signed = await signStatement(pki, { logs: [{ shape, rewriteBody }], timestamps })
    await refuse(signed, 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
})

test('an entry of a form that is not for this content', async () => {
  const rewriteBody = (body: Uint8Array): Uint8Array => encodeUtf8(decodeUtf8(body).replace(/"kind":"\w+"/, '"kind":"rekord"'))
  await refuseLog({ shape: 'v1-hashedrekord', rewriteBody }, 'VERIFY_LOG_ENTRY', 'log-entry-binding')
  await refuse(await signStatement(pki, { logs: [{ shape: 'v1-hashedrekord' }] }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  const signer = await pki.issueLeaf()
  const message = await signMessage(pki, { signer, logs: [] })
  const statement = await signStatement(pki, { signer, logs: [{ shape: 'v1-dsse' }] })
  await refuse(withEntries(message, statement.entity.logEntries), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('a body that is not one, of any bytes', async () => {
  for (const body of ['', '{}', '[]', 'null', '{"apiVersion":"0.0.1","kind":"hashedrekord"}', '{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}']) {
    const entry = await pki.rekorV1.append(encodeUtf8('{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}'))
    const payload = { ...entry, canonicalizedBody: encodeUtf8(body) }
    const signed = await signMessage(pki, { logs: [] })
    const code = body.endsWith('"spec":{}}') ? 'VERIFY_LOG_ENTRY' : 'VERIFY_LOG_PROMISE'
    await refuse(withEntries(signed, [payload]), code, body.endsWith('"spec":{}}') ? 'log-entry-binding' : 'log-promise')
  }
})

test('an entry whose kind or version is said to be another than its body says', async () => {
  const signed = await signMessage(pki)
  const [entry] = signed.entity.logEntries
  for (const change of [{ kind: 'dsse' }, { version: '0.0.2' }, { kind: '' }]) {
    await refuse(withEntries(signed, [{ ...entry!, ...change }]), 'VERIFY_LOG_ENTRY', 'log-entry-binding')
  }
})

test('a stated algorithm that the signature is not of', async () => {
  const rewriteBody = (body: Uint8Array): Uint8Array => encodeUtf8(decodeUtf8(body).replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ECDSA_P384_SHA_384'))
  await refuseLog({ shape: 'v2-hashedrekord', rewriteBody }, 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  // A P-384 key may sign with either digest, so here the statement decides, and the signature then is not of it.
  const signer = await pki.issueLeaf({ algorithm: 'ecdsa-sha2-384-nistp384' })
  const lie = (body: Uint8Array): Uint8Array => encodeUtf8(decodeUtf8(body).replace('PKIX_ECDSA_P384_SHA_384', 'PKIX_ECDSA_P384_SHA_256'))
  const signed = await signMessage(pki, { signer, logs: [{ shape: 'v2-hashedrekord', rewriteBody: lie }], timestamps })
  await refuse(signed, 'VERIFY_SIGNATURE', 'signature')
})

test('entries that nothing proves', async () => {
  await refuseLog({ shape: 'v1-hashedrekord', without: ['promise', 'proof'] }, 'VERIFY_LOG_INCLUSION', 'log-inclusion')
  await refuseLog({ shape: 'v1-hashedrekord', without: ['promise', 'checkpoint'] }, 'VERIFY_LOG_INCLUSION', 'log-inclusion')
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
  for (const change of forged) await refuse(withEntries(signed, [{ ...entry, ...change }]), 'VERIFY_LOG_PROMISE', 'log-promise')
})

test('Rekor v2 knows no promises: a made-up one does not give it a time', async () => {
  const signed = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }] })
  await refuse(signed, 'VERIFY_TIME_MISSING', 'verified-time')
  const entry = { ...signed.entity.logEntries[0]!, integratedTime: TEST_TIME }
  await refuse(withEntries(signed, [entry]), 'VERIFY_TIME_MISSING', 'verified-time')
  await refuse(withEntries(signed, [{ ...entry, inclusionPromise: randomBytes(64) }]), 'VERIFY_LOG_PROMISE', 'log-promise')
})

test('proofs that do not lead to the checkpoint', async () => {
  const signed = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps })
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
    await refuse(withEntries(signed, [{ ...entry, inclusionProof: { ...proof, ...change } }]), code, 'log-inclusion')
  }
})

test('checkpoints of another name with the right key', async () => {
  const names = { 'v1-hashedrekord': 'rekor-v2.test.example - 1', 'v2-hashedrekord': 'another.example' } as const
  for (const shape of ['v1-hashedrekord', 'v2-hashedrekord'] as const) {
    const log = shape === 'v1-hashedrekord' ? pki.rekorV1 : pki.rekorV2
    const origin = names[shape]
    const name = origin.split(' ')[0]!
    const checkpointSigners = [noteSignerForKey({ name, key: log.key, rule: shape === 'v1-hashedrekord' ? 'rekor-v1' : 'note' })]
    await refuseLog({ shape, origin, checkpointSigners }, 'VERIFY_CHECKPOINT', 'log-inclusion')
  }
})

test('an ECDSA log of Rekor v2: its key id does not bind the name, so the name must be the host', async () => {
  const log = await createTestRekor({ version: 2, algorithm: 'ecdsa-sha2-256-nistp256', host: 'ecdsa.test.example' })
  const trust = { ...pki.trusted, tlogs: [log.trusted] }
  const right = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord', log }], timestamps })
  await verify(requestFor(right, trust))
  const checkpointSigners = [noteSignerForKey({ name: 'another.example', key: log.key, rule: 'note' })]
  const wrong = await signMessage(pki, { logs: [{ shape: 'v2-hashedrekord', log, origin: 'another.example', checkpointSigners }], timestamps })
  await refuse(wrong, 'VERIFY_CHECKPOINT', 'log-inclusion', trust)
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
  for (const checkpointSigners of [[own, witness], [witness, own], [witness, own, witness]]) {
    const logs = [{ shape: 'v2-hashedrekord' as const, checkpointSigners, extensions: ['Log frozen'] }]
    await verify(requestFor(await signMessage(pki, { logs, timestamps }), pki.trusted))
  }
})

const trusting = (...tlogs: readonly TrustedLog[]): TrustedRoot => ({ ...pki.trusted, tlogs })

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
  await assertRefused(requestFor(promised, trusting(...periods), { requirements: { transparencyLogs: 2 } }), 'VERIFY_LOG_THRESHOLD', 'log-threshold')
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
  await refuse(await signMessage(pki, { logs: [{ shape, log: stranger }], timestamps }), 'VERIFY_LOG_THRESHOLD', 'log-threshold')
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
  const many: SignedEntity['logEntries'] = Array.from({ length: 33 }, (_, index) => ({ ...entry, logIndex: BigInt(index) }))
  await refuse(withEntries(signed, many), 'VERIFY_LIMIT', 'entity')
})

test('v1 entries across shards: the promise is over the virtual index, the proof over that of the tree', async () => {
  const log = await createTestRekor({ version: 1, indexOffset: 4_163_431n })
  const trust = trusting(log.trusted)
  const signed = await signMessage(pki, { logs: [{ shape: 'v1-hashedrekord', log }] })
  const result = await verify(requestFor(signed, trust))
  assert.ok(result.logEntries[0]!.entry.logIndex > 4_163_431n)
})
