/** Log entries about something else: another artifact, signature, signer, kind or algorithm. @module */
import { test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { EntryShape, LogRequest, SignedArtifact } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import type { VerificationErrorCode } from '../errors.js'
import { verify } from '../verify.js'
import type { CheckName } from '../report.js'

const pki = await createTestPki()
const timestamps = [{}]
const DSSE_SHAPES: readonly EntryShape[] = ['v1-dsse', 'v1-intoto', 'v2-hashedrekord', 'v2-dsse']
const MESSAGE_SHAPES: readonly EntryShape[] = ['v1-hashedrekord', 'v2-hashedrekord']

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
    await refuse(
      await signMessage(pki, { signer, logs: [{ shape, verifier }], timestamps }),
      'VERIFY_LOG_ENTRY_MISMATCH',
      'log-entry-binding',
    )
  }
  for (const shape of DSSE_SHAPES) {
    await refuse(
      await signStatement(pki, { signer, logs: [{ shape, verifier }], timestamps }),
      'VERIFY_LOG_ENTRY_MISMATCH',
      'log-entry-binding',
    )
  }
})

test('an entry that names the bare key of the certificate, or another key', async () => {
  const signer = await pki.issueLeaf()
  const verifier = { kind: 'public-key' as const, spki: signer.key.publicKey.spki }
  await refuse(
    await signMessage(pki, { signer, logs: [{ shape: 'v1-hashedrekord', verifier }] }),
    'VERIFY_LOG_ENTRY_MISMATCH',
    'log-entry-binding',
  )

  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const logs = [{ shape: 'v1-hashedrekord' as const, verifier }]
  const policy = { kind: 'key' as const, key: key.publicKey }
  const byKey = await signMessage(pki, { signer: { key }, logs })
  await assertRefused(requestFor(byKey, pki.trusted, { policy }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('a key that is known by its certificate: an entry may name that one, and no other', async () => {
  const signer = await pki.issueLeaf()
  const twin = await pki.issueLeaf({ key: signer.key })
  const named = { kind: 'certificate' as const, certificate: signer.certificate.der, chain: [] }
  const logs = [{ shape: 'v1-hashedrekord' as const, verifier: named }]
  const signed = await signMessage(pki, { signer: { key: signer.key }, logs })
  const policy = { kind: 'key' as const, key: signer.key.publicKey }
  for (const certificate of [undefined, twin.certificate.der]) {
    const request = requestFor(signed, pki.trusted, { policy: { ...policy, ...(certificate && { certificate }) } })
    await assertRefused(request, 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
  await verify(requestFor(signed, pki.trusted, { policy: { ...policy, certificate: signer.certificate.der } }))
})

test('the right signature with the hash of another payload', async () => {
  const rewriteBody = (body: Uint8Array): Uint8Array => {
    return encodeUtf8(
      decodeUtf8(body).replace(
        /("payloadHash":\{[^}]*?"(?:value|digest)":")(..)/,
        (_, start: string, first: string) => `${start}${first === 'ab' ? 'cd' : 'ab'}`,
      ),
    )
  }
  for (const shape of ['v1-dsse', 'v1-intoto', 'v2-dsse'] as const) {
    const signed = await signStatement(pki, { logs: [{ shape, rewriteBody }], timestamps })
    await refuse(signed, 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
})

test('an entry of a form that is not for this content', async () => {
  const rewriteBody = (body: Uint8Array): Uint8Array =>
    encodeUtf8(decodeUtf8(body).replace(/"kind":"\w+"/, '"kind":"rekord"'))
  await refuseLog({ shape: 'v1-hashedrekord', rewriteBody }, 'VERIFY_LOG_ENTRY', 'log-entry-binding')
  await refuse(
    await signStatement(pki, { logs: [{ shape: 'v1-hashedrekord' }] }),
    'VERIFY_LOG_ENTRY_MISMATCH',
    'log-entry-binding',
  )
  const signer = await pki.issueLeaf()
  const message = await signMessage(pki, { signer, logs: [] })
  const statement = await signStatement(pki, { signer, logs: [{ shape: 'v1-dsse' }] })
  await refuse(withEntries(message, statement.entity.logEntries), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('a body that is not one, of any bytes', async () => {
  for (const body of [
    '',
    '{}',
    '[]',
    'null',
    '{"apiVersion":"0.0.1","kind":"hashedrekord"}',
    '{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}',
  ]) {
    const entry = await pki.rekorV1.append(encodeUtf8('{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}'))
    const payload = { ...entry, canonicalizedBody: encodeUtf8(body) }
    const signed = await signMessage(pki, { logs: [] })
    const code = body.endsWith('"spec":{}}') ? 'VERIFY_LOG_ENTRY' : 'VERIFY_LOG_PROMISE'
    await refuse(
      withEntries(signed, [payload]),
      code,
      body.endsWith('"spec":{}}') ? 'log-entry-binding' : 'log-promise',
    )
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
  const rewriteBody = (body: Uint8Array): Uint8Array =>
    encodeUtf8(decodeUtf8(body).replace('PKIX_ECDSA_P256_SHA_256', 'PKIX_ECDSA_P384_SHA_384'))
  await refuseLog({ shape: 'v2-hashedrekord', rewriteBody }, 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  // A P-384 key may sign with either digest, so here the statement decides, and the signature then is not of it.
  const signer = await pki.issueLeaf({ algorithm: 'ecdsa-sha2-384-nistp384' })
  const lie = (body: Uint8Array): Uint8Array =>
    encodeUtf8(decodeUtf8(body).replace('PKIX_ECDSA_P384_SHA_384', 'PKIX_ECDSA_P384_SHA_256'))
  const signed = await signMessage(pki, { signer, logs: [{ shape: 'v2-hashedrekord', rewriteBody: lie }], timestamps })
  await refuse(signed, 'VERIFY_SIGNATURE', 'signature')
})
