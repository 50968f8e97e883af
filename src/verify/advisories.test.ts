/** Attacks that succeeded against other verifiers, each written as it was made. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import { serializeBundle } from '#formats/bundle/serialize'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedEntity } from '#formats/signed-entity'
import { TEST_TIME } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import { verifyAttestationClaims, verifyImageClaims } from './image/image-claims.js'
import { verify } from './verify.js'

const pki = await createTestPki()

test('GHSA-whqx-f9j3-ch6m: any entry of the log, put beside any signature', async () => {
  // The victim's certificate has expired; the attacker has its key. A foreign, perfectly valid entry is to supply log and time.
  const stolen = await pki.issueLeaf()
  const foreign = await signMessage(pki, { artifact: encodeUtf8('somebody else’s release') })
  const forged = await signMessage(pki, { signer: stolen, artifact: encodeUtf8('malware'), logs: [] })
  const entity = { ...forged.entity, logEntries: foreign.entity.logEntries }
  await assertRefused(requestFor({ ...forged, entity }, pki.trusted), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('GHSA-whqx-f9j3-ch6m, with a managed key and with an envelope', async () => {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const foreign = await signMessage(pki)
  const byKey = await signMessage(pki, { signer: { key }, logs: [] })
  const policy = { kind: 'key' as const, key: key.publicKey }
  const message = { ...byKey, entity: { ...byKey.entity, logEntries: foreign.entity.logEntries } }
  await assertRefused(requestFor(message, pki.trusted, { policy }), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  const statement = await signStatement(pki, { logs: [] })
  const logged = await signStatement(pki, { logs: [{ shape: 'v1-dsse' }] })
  const envelope = { ...statement, entity: { ...statement.entity, logEntries: logged.entity.logEntries } }
  await assertRefused(requestFor(envelope, pki.trusted), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
})

test('GHSA-w6c6-c85g-mmv6: an attestation of one type taken for another', async () => {
  const verification = await verify(requestFor(await signStatement(pki, { logs: [{ shape: 'v1-dsse' }] }), pki.trusted))
  assert.throws(() => verifyAttestationClaims(verification, 'https://slsa.dev/provenance/v1'), {
    code: 'VERIFY_PREDICATE_TYPE',
  })
})

test('CVE-2022-36056: a bundle whose log entry, certificate or signature is not the one in use', async () => {
  // In verify-blob the bundle's entry was not compared with the signature given, and an expired certificate passed.
  const [mine, theirs] = [await signMessage(pki), await signMessage(pki)]
  const mixtures: readonly SignedEntity[] = [
    { ...mine.entity, content: theirs.entity.content },
    { ...mine.entity, key: theirs.entity.key },
    { ...mine.entity, logEntries: theirs.entity.logEntries },
  ]
  for (const entity of mixtures) {
    await assertRefused(requestFor({ ...mine, entity }, pki.trusted), 'VERIFY_LOG_ENTRY_MISMATCH', 'log-entry-binding')
  }
  const expired = await pki.issueLeaf({ notBefore: TEST_TIME - 7_200_000, notAfter: TEST_TIME - 3_600_000 })
  await assertRefused(
    requestFor(await signMessage(pki, { signer: expired }), pki.trusted),
    'VERIFY_CERTIFICATE_TIME',
    'certificate-path',
  )
})

test('CVE-2022-36056: an integrated time that the log did not sign', async () => {
  const expired = await pki.issueLeaf({ notBefore: TEST_TIME - 7_200_000, notAfter: TEST_TIME - 3_600_000 })
  const signed = await signMessage(pki, { signer: expired })
  const logEntries = signed.entity.logEntries.map((entry): LogEntry => ({
    ...entry,
    integratedTime: TEST_TIME - 5_000_000,
  }))
  await assertRefused(
    requestFor({ ...signed, entity: { ...signed.entity, logEntries } }, pki.trusted),
    'VERIFY_LOG_PROMISE',
    'log-promise',
  )
  // Without the promise the time is nobody's.
  const unsigned = logEntries.map(({ inclusionPromise: _, ...entry }): LogEntry => entry)
  await assertRefused(
    requestFor({ ...signed, entity: { ...signed.entity, logEntries: unsigned } }, pki.trusted),
    'VERIFY_TIME_MISSING',
    'verified-time',
  )
})

test('security-profiles-operator#3449: an SBOM of the same signer is not a signature on the image', async () => {
  const manifest = encodeUtf8('{}')
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: encodeHex(sha256(manifest)) } }],
    predicateType: 'https://cyclonedx.org/bom',
    predicate: {},
  }
  const signed = await signStatement(pki, { artifact: manifest, logs: [{ shape: 'v1-dsse' }], statement })
  const verification = await verify(requestFor(signed, pki.trusted))
  const image = { digest: { algorithm: 'sha256' as const, value: sha256(manifest) } }
  assert.throws(() => verifyImageClaims(verification, image), { code: 'VERIFY_NOT_IMAGE_SIGNATURE' })
})

/** cosign#4648 to #4653: malformed parts that made the verifier panic. */
const PANICS: Readonly<Record<string, (bundle: Bundle) => void>> = {
  'no verification material': (bundle) => delete (bundle as Partial<Bundle>).verificationMaterial,
  'no log entries': (bundle) => delete (bundle.verificationMaterial as Partial<Material>).tlogEntries,
  'a null log entry': ({ verificationMaterial }) => (verificationMaterial.tlogEntries = [null as never]),
  'an empty log entry': ({ verificationMaterial }) => (verificationMaterial.tlogEntries = [{}]),
  'no canonicalized body': ({ verificationMaterial: { tlogEntries } }) => delete tlogEntries[0]?.['canonicalizedBody'],
  'an empty canonicalized body': ({ verificationMaterial: { tlogEntries } }) =>
    (tlogEntries[0]!['canonicalizedBody'] = ''),
  'a body that is not JSON': ({ verificationMaterial: { tlogEntries } }) =>
    (tlogEntries[0]!['canonicalizedBody'] = encodeBase64(encodeUtf8('{'))),
  'no log id': ({ verificationMaterial: { tlogEntries } }) => delete tlogEntries[0]?.['logId'],
  'no kind': ({ verificationMaterial: { tlogEntries } }) => delete tlogEntries[0]?.['kindVersion'],
  'an empty inclusion proof': ({ verificationMaterial: { tlogEntries } }) => (tlogEntries[0]!['inclusionProof'] = {}),
  'an empty checkpoint': ({ verificationMaterial: { tlogEntries } }) =>
    ((tlogEntries[0]!['inclusionProof'] as Record<string, unknown>)['checkpoint'] = {}),
  'an empty promise': ({ verificationMaterial: { tlogEntries } }) => (tlogEntries[0]!['inclusionPromise'] = {}),
  'no certificate': ({ verificationMaterial }) => delete verificationMaterial.certificate,
  'an empty time-stamp': ({ verificationMaterial }) =>
    (verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: '' }] }),
  'no envelope': (bundle) => delete (bundle as Partial<Bundle>).dsseEnvelope,
  'an empty payload': ({ dsseEnvelope }) => (dsseEnvelope.payload = ''),
  'no signatures': ({ dsseEnvelope }) => (dsseEnvelope.signatures = []),
  'a null signature': ({ dsseEnvelope }) => (dsseEnvelope.signatures = [null]),
}

interface Material {
  certificate?: unknown
  tlogEntries: Record<string, unknown>[]
  timestampVerificationData?: unknown
}

interface Bundle {
  verificationMaterial: Material
  dsseEnvelope: { payload: string; signatures: unknown[] }
}

test('cosign#4648 to #4653: malformed entries and payloads are refused with a code, not with a crash', async () => {
  const signed = await signStatement(pki, { logs: [{ shape: 'v1-dsse' }] })
  const text = serializeBundle(signed.entity)
  for (const [what, spoil] of Object.entries(PANICS)) {
    const bundle = JSON.parse(text) as Bundle
    spoil(bundle)
    const attempt = async (): Promise<unknown> =>
      verify({ ...requestFor(signed, pki.trusted), entity: parseBundle(JSON.stringify(bundle)) })
    await assert.rejects(attempt, isCodedError, what)
  }
})
