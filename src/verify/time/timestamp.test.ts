/** Time-stamps that must not be believed, and those that must. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '#crypto/digest'
import { TAG, readDer } from '#encoding/der'
import { der } from '#encoding/der-writer'
import { serializeEnvelope } from '#formats/dsse/envelope'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { EKU } from '#formats/x509/oids'
import { TEST_TIME, issueCertificate, tsaLeafSpec } from '#testing/pki/certificate'
import type { CertificateSpec } from '#testing/pki/certificate'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { SignedArtifact } from '#testing/pki/signed-entity'
import { createTestTsa } from '#testing/pki/tsa'
import type { StampOptions, TestTsaOptions } from '#testing/pki/tsa'
import { assertRefused, requestFor } from '#testing/verifying'
import { verify } from '../verify.js'

const pki = await createTestPki()
const logs = [{ shape: 'v2-hashedrekord' as const }]
const stamped = (stamp: StampOptions): Promise<SignedArtifact> => signMessage(pki, { logs, timestamps: [stamp] })

function withStamps(signed: SignedArtifact, timestamps: readonly Uint8Array[]): SignedArtifact {
  return { ...signed, entity: { ...signed.entity, timestamps } }
}

test('time-stamps of every form are the time of a Rekor v2 entry', async () => {
  const forms: readonly StampOptions[] = [
    { embed: 'none' },
    { embed: 'leaf' },
    { embed: 'chain' },
    { imprintDigest: 'sha384' },
    { imprintDigest: 'sha512' },
    { nonce: Uint8Array.of(1, 2, 3) },
    { policy: '1.2.3' },
  ]
  for (const form of forms) {
    const result = await verify(requestFor(await stamped(form), pki.trusted))
    assert.deepEqual(
      result.times.map(({ at, source }) => [at, source.kind]),
      [[TEST_TIME, 'timestamp-authority']],
    )
  }
  const statement = await signStatement(pki, { logs, timestamps: [{}] })
  await verify(requestFor(statement, pki.trusted))
})

test('authorities with other keys, RSA among them', async () => {
  for (const algorithm of ['rsa-sign-pkcs1-3072-sha256', 'ecdsa-sha2-384-nistp384', 'ed25519'] as const) {
    const other = await createTestPki({ tsa: { leaf: { algorithm } } })
    await verify(requestFor(await signMessage(other, { logs, timestamps: [{}] }), other.trusted))
  }
})

test('an authority whose own certificate is only in the time-stamp', async () => {
  const authority = { ...pki.tsa.trusted, chain: pki.tsa.trusted.chain.slice(1) }
  const trust = { ...pki.trusted, timestampAuthorities: [authority] }
  await verify(requestFor(await stamped({ embed: 'leaf' }), trust))
  await assertRefused(requestFor(await stamped({ embed: 'none' }), trust), 'VERIFY_TIME_MISSING', 'verified-time')
  const rootOnly = { ...trust, timestampAuthorities: [{ ...authority, chain: authority.chain.slice(1) }] }
  await verify(requestFor(await stamped({ embed: 'chain' }), rootOnly))
})

test('a time-stamp over something else', async () => {
  const imprint = { digest: 'sha256' as const, hash: digest('sha256', Uint8Array.of(1)) }
  await assertRefused(requestFor(await stamped({ imprint }), pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
  const [one, other] = [await stamped({}), await stamped({})]
  await assertRefused(
    requestFor(withStamps(one, other.entity.timestamps), pki.trusted),
    'VERIFY_TIMESTAMP',
    'timestamp',
  )
})

test('old attestation layers are stamped as a whole, and then only as that whole', async () => {
  const signed = await signStatement(pki, { logs })
  const { content } = signed.entity
  assert.ok(content.kind === 'dsse')
  const source = serializeEnvelope(content.envelope)
  const timestamps = [await pki.tsa.stamp(source)]
  const layer = { kind: 'dsse' as const, envelope: { ...content.envelope, source } }
  await verify(requestFor({ ...signed, entity: { ...signed.entity, content: layer, timestamps } }, pki.trusted))
  const bundle = { ...signed, entity: { ...signed.entity, timestamps } }
  await assertRefused(requestFor(bundle, pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
  const other = { ...layer, envelope: { ...layer.envelope, source: source.subarray(1) } }
  const changed = { ...signed, entity: { ...signed.entity, content: other, timestamps } }
  await assertRefused(requestFor(changed, pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
})

test('an embedded certificate that is not quite the authority’s', async () => {
  const signed = await stamped({ embed: 'leaf' })
  const response = signed.entity.timestamps[0]!
  const { der: certificate } = pki.tsa.leaf.certificate
  const at = Buffer.from(response).indexOf(certificate)
  for (const offset of [certificate.length - 1, certificate.length >> 1]) {
    const changed = response.with(at + offset, (response[at + offset] ?? 0) ^ 1)
    await assertRefused(requestFor(withStamps(signed, [changed]), pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
  }
})

test('a refusal of the authority is no time-stamp, and a token with a refusing status neither', async () => {
  await assertRefused(requestFor(await stamped({ rejection: 'no' }), pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
  const signed = await stamped({})
  const response = readDer(signed.entity.timestamps[0]!, TAG.SEQUENCE).contents()
  response.next()
  const token = response.next()
  for (const status of [1, 2, 3, 5, 6]) {
    const info = der(TAG.SEQUENCE, der(TAG.INTEGER, Uint8Array.of(status)))
    const changed = requestFor(withStamps(signed, [der(TAG.SEQUENCE, info, token.bytes)]), pki.trusted)
    if (status === 1) await verify(changed)
    else await assertRefused(changed, 'VERIFY_TIMESTAMP', 'timestamp')
  }
})

test('bytes that are no time-stamp', async () => {
  const signed = await stamped({})
  const [good] = signed.entity.timestamps
  for (const bytes of [
    new Uint8Array(0),
    Uint8Array.of(0x30, 0),
    good!.subarray(1),
    good!.subarray(0, -1),
    Uint8Array.of(...good!, 0),
  ]) {
    await assertRefused(requestFor(withStamps(signed, [bytes]), pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
  }
})

test('a time-stamp of an unknown authority counts nothing, and does no harm beside another witness', async () => {
  const stranger = await createTestTsa()
  for (const embed of ['none', 'leaf', 'chain'] as const) {
    const signer = stranger.leaf
    await assertRefused(
      requestFor(await stamped({ signer, embed }), pki.trusted),
      'VERIFY_TIME_MISSING',
      'verified-time',
    )
    const logged = await signMessage(pki, { timestamps: [{ signer, embed }] })
    const result = await verify(requestFor(logged, pki.trusted))
    assert.deepEqual(result.report.find(({ name }) => name === 'timestamp')?.status, 'skipped')
  }
})

test('another key under the authority’s certificate', async () => {
  const thief = { certificate: pki.tsa.leaf.certificate, key: pki.root.key }
  await assertRefused(requestFor(await stamped({ signer: thief }), pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
})

test('a certificate of the authority’s with the same name and number but another key (ESSCertID)', async () => {
  const { subject: _, ...spec } = tsaLeafSpec()
  const twin = await issueCertificate(
    {
      ...spec,
      subject: { organization: 'test.example', commonName: 'test tsa' },
      serialNumber: pki.tsa.leaf.certificate.serialNumber,
    },
    pki.tsa.intermediate,
  )
  for (const embed of ['leaf', 'none'] as const) {
    await assertRefused(
      requestFor(await stamped({ signer: twin, embed }), pki.trusted),
      'VERIFY_TIMESTAMP',
      'timestamp',
    )
  }
  const sameKey = await issueCertificate(
    { ...tsaLeafSpec(), key: pki.tsa.leaf.key, serialNumber: pki.tsa.leaf.certificate.serialNumber },
    pki.tsa.intermediate,
  )
  await assertRefused(requestFor(await stamped({ signer: sameKey }), pki.trusted), 'VERIFY_TIMESTAMP', 'timestamp')
})

const BAD_AUTHORITIES: Readonly<Record<string, TestTsaOptions>> = {
  'no usage': { leaf: { extendedKeyUsage: null } },
  'another usage': { leaf: { extendedKeyUsage: [EKU.codeSigning] } },
  'a further usage': { leaf: { extendedKeyUsage: [EKU.timeStamping, EKU.codeSigning] } },
  'a usage that is not critical': { leaf: { extendedKeyUsageCritical: false } },
  'not for signatures': { leaf: { keyUsage: ['keyEncipherment'] } },
  'an intermediate for code signing': { intermediate: { extendedKeyUsage: [EKU.codeSigning] } },
  'an intermediate that is no authority': { intermediate: { basicConstraints: null } },
}

test('authorities whose certificates are not for time-stamping', async () => {
  for (const [what, tsa] of Object.entries(BAD_AUTHORITIES)) {
    const bad = await createTestPki({ tsa })
    const signed = await signMessage(bad, { logs, timestamps: [{}] })
    await assert.doesNotReject(assertRefused(requestFor(signed, bad.trusted), 'VERIFY_TIMESTAMP', 'timestamp'), what)
  }
})

test('an authority that was not valid at the time it states; the ends are included', async () => {
  const specs: readonly (readonly [CertificateSpec, boolean])[] = [
    [{ notBefore: TEST_TIME }, true],
    [{ notAfter: TEST_TIME }, true],
    [{ notBefore: TEST_TIME + 1000 }, false],
    [{ notAfter: TEST_TIME - 1000 }, false],
  ]
  for (const where of ['leaf', 'intermediate', 'root'] as const) {
    for (const [spec, good] of specs) {
      const other = await createTestPki({ tsa: { [where]: spec } })
      const request = requestFor(await signMessage(other, { logs, timestamps: [{}] }), other.trusted)
      if (good) await verify(request)
      else await assertRefused(request, 'VERIFY_TIMESTAMP', 'timestamp')
    }
  }
})

test('the period of trust in an authority includes its ends', async () => {
  const signed = await stamped({})
  const trust = (validFor: { start?: number; end?: number }): TrustedRoot => ({
    ...pki.trusted,
    timestampAuthorities: [{ ...pki.tsa.trusted, validFor }],
  })
  await verify(requestFor(signed, trust({ start: TEST_TIME, end: TEST_TIME })))
  await verify(requestFor(signed, trust({})))
  for (const validFor of [{ start: TEST_TIME + 1 }, { end: TEST_TIME - 1 }]) {
    await assertRefused(requestFor(signed, trust(validFor)), 'VERIFY_TIMESTAMP', 'timestamp')
  }
  // Two periods of one authority: the one that fits counts.
  const both = { ...pki.trusted, timestampAuthorities: [{ ...pki.tsa.trusted, validFor: { end: 0 } }, pki.tsa.trusted] }
  await verify(requestFor(signed, both))
})

test('time-stamps without end', async () => {
  const signed = await stamped({})
  const many = Array.from({ length: 33 }, () => signed.entity.timestamps[0]!)
  await assertRefused(requestFor(withStamps(signed, many), pki.trusted), 'VERIFY_LIMIT', 'entity')
})
