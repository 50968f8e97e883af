/** What was signed: artifacts by bytes and digest, statements and their subjects. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement, statementAbout } from '#testing/pki/signed-entity'
import type { SignedArtifact } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import type { VerifyRequest } from '../verify.js'
import { verify } from '../verify.js'

const pki = await createTestPki()
const ARTIFACT = encodeUtf8('an artifact\n')
const hex = (name: 'sha256' | 'sha384' | 'sha512', data = ARTIFACT): string => encodeHex(digest(name, data))

const signed = (statement: unknown, payloadType?: string): Promise<SignedArtifact> =>
  signStatement(pki, { logs: [{ shape: 'v1-dsse' }], statement, ...(payloadType !== undefined && { payloadType }) })
const about = (...subject: readonly unknown[]): unknown => ({
  ...(statementAbout(ARTIFACT, 'sha256') as object),
  subject,
})
const request = async (statement: unknown): Promise<VerifyRequest> => requestFor(await signed(statement), pki.trusted)

test('the artifact must be a subject', async () => {
  const other = encodeUtf8('another')
  const signedForOther = await signed(statementAbout(other, 'sha256'))
  await assertRefused(requestFor({ ...signedForOther, artifact: ARTIFACT }, pki.trusted), 'VERIFY_SUBJECT', 'artifact')
})

test('subjects by SHA-256, SHA-384 and SHA-512, by bytes and by digest', async () => {
  for (const name of ['sha256', 'sha384', 'sha512'] as const) {
    const byBytes = await request(statementAbout(ARTIFACT, name))
    await verify(byBytes)
    await verify({ ...byBytes, artifact: { kind: 'digest', digests: { [name]: digest(name, ARTIFACT) } } })
    const others = (['sha256', 'sha384', 'sha512'] as const).filter((each) => each !== name)
    const digests = Object.fromEntries(others.map((each) => [each, digest(each, ARTIFACT)]))
    await assertRefused({ ...byBytes, artifact: { kind: 'digest', digests } }, 'VERIFY_SUBJECT', 'artifact')
  }
})

test('several subjects, the artifact last', async () => {
  const many = Array.from({ length: 50 }, (_, index) => ({
    name: `other ${String(index)}`,
    digest: { sha256: hex('sha256', Uint8Array.of(index)) },
  }))
  const result = await verify(await request(about(...many, { name: 'mine', digest: { sha256: hex('sha256') } })))
  assert.equal(result.content.kind === 'statement' && result.content.subject?.name, 'mine')
})

test('a subject that agrees in one digest and not in another is another artifact', async () => {
  const torn = about({ digest: { sha256: hex('sha256'), sha512: hex('sha512', Uint8Array.of(1)) } })
  await assertRefused(await request(torn), 'VERIFY_SUBJECT', 'artifact')
  const foreign = about({ digest: { sha256: hex('sha256'), gitCommit: '00' } })
  await verify(await request(foreign))
})

test('subjects that name the artifact in no way that can be checked', async () => {
  for (const subject of [
    { name: 'an artifact' },
    { digest: {} },
    { digest: { sha1: '00' } },
    { digest: { sha256: '' } },
    { digest: { sha256: hex('sha256').slice(1) } },
  ]) {
    await assert.doesNotReject(assertRefused(await request(about(subject)), await codeOf(about(subject)), 'artifact'))
  }
})

/** Whether the statement is malformed is the parser's to say; either way it must be refused at the artifact. */
async function codeOf(statement: unknown): Promise<'VERIFY_SUBJECT' | 'VERIFY_STATEMENT'> {
  const error: unknown = await verify(await request(statement)).catch((reason: unknown) => reason)
  return (error as { code?: string }).code === 'VERIFY_STATEMENT' ? 'VERIFY_STATEMENT' : 'VERIFY_SUBJECT'
}

test('payloads that are no statements', async () => {
  for (const statement of [
    [],
    'text',
    1,
    {},
    { _type: 'https://example.com/other' },
    { ...(about() as object), subject: 'x' },
  ]) {
    await assertRefused(await request(statement), 'VERIFY_STATEMENT', 'artifact')
  }
  await assertRefused(
    await request({
      ...(about({ digest: { sha256: hex('sha256') } }) as object),
      _type: 'https://in-toto.io/Statement/v9',
    }),
    'VERIFY_STATEMENT',
    'artifact',
  )
})

test('another payload type, which the signature covers', async () => {
  const typed = await signed(statementAbout(ARTIFACT, 'sha256'), 'application/json')
  await assertRefused(requestFor(typed, pki.trusted), 'VERIFY_PAYLOAD_TYPE', 'artifact')
  const { content } = (await signed(statementAbout(ARTIFACT, 'sha256'))).entity
  assert.ok(content.kind === 'dsse')
  const relabelled = {
    ...typed,
    entity: {
      ...typed.entity,
      content: {
        kind: 'dsse' as const,
        envelope: { ...(typed.entity.content as typeof content).envelope, payloadType: 'application/vnd.in-toto+json' },
      },
    },
  }
  await assertRefused(requestFor(relabelled, pki.trusted), 'VERIFY_SIGNATURE', 'signature')
})

test('an envelope with another number of signatures than one', async () => {
  const one = await signed(statementAbout(ARTIFACT, 'sha256'))
  const { content } = one.entity
  assert.ok(content.kind === 'dsse')
  const [signature] = content.envelope.signatures
  for (const signatures of [[], [signature!, signature!]]) {
    const entity = { ...one.entity, content: { kind: 'dsse' as const, envelope: { ...content.envelope, signatures } } }
    await assertRefused(requestFor({ ...one, entity }, pki.trusted), 'VERIFY_ENTITY', 'entity')
  }
})

test('without its artifact a statement is accepted only where that is asked for by name, a bare signature never', async () => {
  const artifact = { kind: 'unsafe-any-subject' as const }
  const result = await verify({ ...(await request(statementAbout(encodeUtf8('another'), 'sha256'))), artifact })
  assert.equal(result.report.at(-1)?.status, 'skipped')
  await assertRefused(
    requestFor(await signMessage(pki), pki.trusted, { artifact }),
    'VERIFY_ARTIFACT_REQUIRED',
    'log-entry-binding',
  )
})

test('a message signature over another artifact, by bytes and by digest', async () => {
  const message = await signMessage(pki)
  const requirements = { transparencyLogs: 0, timeSources: 0, unsafeCurrentTimeIfUnwitnessed: true }
  const changes = { requirements, now: 1_748_779_200_000 }
  const other = Uint8Array.of(1)
  await assertRefused(
    requestFor({ ...message, artifact: other }, pki.trusted, changes),
    'VERIFY_SIGNATURE',
    'signature',
  )
  const digests = { sha256: digest('sha256', other) }
  await assertRefused(
    requestFor(message, pki.trusted, { ...changes, artifact: { kind: 'digest', digests } }),
    'VERIFY_SIGNATURE',
    'signature',
  )
})

test('a digest beside the signature that is not the artifact’s, or is of another kind', async () => {
  const message = await signMessage(pki)
  const { content } = message.entity
  assert.ok(content.kind === 'message-signature')
  const lying = {
    ...message,
    entity: { ...message.entity, content: { ...content, digest: digest('sha256', Uint8Array.of(1)) } },
  }
  await assertRefused(requestFor(lying, pki.trusted), 'VERIFY_ARTIFACT_MISMATCH', 'artifact')
  const silent = {
    ...message,
    entity: { ...message.entity, content: { ...content, digest: undefined, digestAlgorithm: undefined } },
  }
  await verify(requestFor(silent, pki.trusted))
})

test('digests that do not serve: of another function, of a wrong length, or none', async () => {
  const message = await signMessage(pki)
  const artifact = { kind: 'digest' as const, digests: { sha512: digest('sha512', ARTIFACT) } }
  await assertRefused(requestFor(message, pki.trusted, { artifact }), 'VERIFY_ARTIFACT_REQUIRED', 'log-entry-binding')
  for (const digests of [{}, { sha256: Uint8Array.of(1) }]) {
    await assert.rejects(verify(requestFor(message, pki.trusted, { artifact: { kind: 'digest', digests } })), {
      code: 'VERIFY_ARTIFACT_REQUIRED',
    })
  }
})

test('an empty signature', async () => {
  const message = await signMessage(pki)
  const entity = {
    ...message.entity,
    content: { ...message.entity.content, signature: new Uint8Array(0) } as typeof message.entity.content,
  }
  await assertRefused(requestFor({ ...message, entity }, pki.trusted), 'VERIFY_ENTITY', 'entity')
})
