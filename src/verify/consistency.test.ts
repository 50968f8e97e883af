import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeUtf8 } from '#encoding/utf8'
import type { InclusionProof, LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedEntity } from '#formats/signed-entity'
import { TEST_TIME } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement, statementAbout } from '#testing/pki/signed-entity'
import { verifyConsistency, type Consistency } from './consistency.js'

const pki = await createTestPki()
const impostors = await createTestPki()
const other = encodeUtf8('another artifact\n')
const managed = { key: await generatePrivateKey('ecdsa-sha2-256-nistp256') }
const message = await signMessage(pki, { timestamps: [{}] })
const otherMessage = await signMessage(pki, { artifact: other, timestamps: [{}] })
const entry = message.entity.logEntries[0]!
const proof = entry.inclusionProof!

async function check(
  { entity, artifact }: { readonly entity: SignedEntity; readonly artifact: Uint8Array },
  changes: Partial<Parameters<typeof verifyConsistency>[0]> = {},
): Promise<Consistency> {
  return await verifyConsistency({ entity, artifact: { kind: 'bytes', bytes: artifact }, now: TEST_TIME, ...changes })
}

async function refuse(entity: Partial<SignedEntity>, code: string, artifact = message.artifact): Promise<void> {
  await assert.rejects(check({ entity: { ...message.entity, ...entity }, artifact }), { code })
}

const withEntry = (changes: Partial<LogEntry>): Partial<SignedEntity> => ({ logEntries: [{ ...entry, ...changes }] })
const withProof = (changes: Partial<InclusionProof>): Partial<SignedEntity> =>
  withEntry({ inclusionProof: { ...proof, ...changes } })

test('parts of two signatures', async () => {
  const { content, key, logEntries, timestamps } = otherMessage.entity
  await refuse({}, 'VERIFY_SIGNATURE', other)
  await refuse({ content }, 'VERIFY_SIGNATURE')
  await refuse({ key }, 'VERIFY_SIGNATURE')
  await refuse({ logEntries }, 'VERIFY_LOG_ENTRY_MISMATCH')
  await refuse({ logEntries: [entry, ...logEntries] }, 'VERIFY_LOG_ENTRY_MISMATCH')
  await refuse({ timestamps }, 'VERIFY_TIMESTAMP')
})

test('the certificate of another, for the same key', async () => {
  const { signer } = message
  assert.ok('certificate' in signer)
  const again = await pki.issueLeaf({ key: signer.key })
  await refuse({ key: { kind: 'certificates', chain: [again.certificate.der] } }, 'VERIFY_LOG_ENTRY_MISMATCH')
})

test('proofs that are none', async () => {
  await refuse(
    withProof({ rootHash: otherMessage.entity.logEntries[0]!.inclusionProof!.rootHash }),
    'VERIFY_CHECKPOINT',
  )
  await refuse(withProof({ treeSize: proof.treeSize + 1n }), 'VERIFY_CHECKPOINT')
  await refuse(withProof({ hashes: [...proof.hashes, new Uint8Array(32)] }), 'MERKLE_PROOF_SIZE')
  await refuse(withEntry({ inclusionProof: otherMessage.entity.logEntries[0]!.inclusionProof }), 'MERKLE_ROOT_MISMATCH')
})

test('a kind that is not the body’s', async () => {
  await refuse(withEntry({ kind: 'dsse' }), 'VERIFY_LOG_ENTRY')
})

test('a certificate that was not valid', async () => {
  for (const spec of [{ notBefore: TEST_TIME + 1000 }, { notAfter: TEST_TIME - 1000 }]) {
    const signer = await pki.issueLeaf(spec)
    await assert.rejects(check(await signMessage(pki, { signer })), { code: 'VERIFY_CERTIFICATE_TIME' })
    await assert.rejects(check(await signMessage(pki, { signer, logs: [], timestamps: [{}] })), {
      code: 'VERIFY_CERTIFICATE_TIME',
    })
  }
  const unwitnessed = await signMessage(pki, { logs: [] })
  await check(unwitnessed)
  const later = TEST_TIME + 365 * 86_400_000
  await assert.rejects(check(unwitnessed, { now: later }), { code: 'VERIFY_CERTIFICATE_TIME' })
  await check(message, { now: later })
  // Only what the log signed tells a time.
  const unpromised = { ...message.entity, logEntries: [{ ...entry, inclusionPromise: undefined }], timestamps: [] }
  await assert.rejects(check({ ...message, entity: unpromised }, { now: later }), { code: 'VERIFY_CERTIFICATE_TIME' })
})

test('keys: the given one, and none', async () => {
  const signed = await signMessage(pki, { signer: managed })
  await check(signed, { key: managed.key.publicKey })
  await assert.rejects(check(signed), { code: 'VERIFY_KEY_EXPECTED' })
  const another = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  await assert.rejects(check(signed, { key: another.publicKey }), { code: 'VERIFY_SIGNATURE' })
  const certified = await signMessage(pki, { signer: await pki.issueLeaf({ key: managed.key }) })
  const swapped = { ...signed.entity, logEntries: certified.entity.logEntries }
  await assert.rejects(check({ ...signed, entity: swapped }, { key: managed.key.publicKey }), {
    code: 'VERIFY_LOG_ENTRY_MISMATCH',
  })
})

test('statements about something else', async () => {
  const signed = await signStatement(pki, { logs: [{ shape: 'v1-dsse' }], statement: statementAbout(other, 'sha256') })
  await assert.rejects(check(signed), { code: 'VERIFY_SUBJECT' })
  await check({ ...signed, artifact: other })
})

test('what belongs together, in every shape; the signature is of an algorithm', async () => {
  assert.equal((await check(message)).algorithm.name, 'ecdsa-sha2-256-nistp256')
  for (const shape of ['v1-hashedrekord', 'v2-hashedrekord'] as const)
    await check(await signMessage(pki, { logs: [{ shape }], timestamps: [{}] }))
  for (const shape of ['v1-dsse', 'v1-intoto', 'v2-dsse', 'v2-hashedrekord'] as const)
    await check(await signStatement(pki, { logs: [{ shape }], timestamps: [{}] }))
  // Nobody is trusted, so nobody is found out either.
  await check(await signMessage(impostors, { timestamps: [{}] }))
})
