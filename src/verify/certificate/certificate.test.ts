/** Certificates that must not be believed: paths, times, usages, names, and certificate transparency. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derNull } from '#encoding/der-writer'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { encodeExtension } from '#formats/x509/extension-writers'
import { EKU, EXTENSION } from '#formats/x509/oids'
import { encodeLeafIndexExtension } from '#formats/sct/sct'
import { TEST_TIME, intermediateSpec, issueCertificate, leafSpec, rootSpec } from '#testing/pki/certificate'
import type { CertificateSpec, TestCertificate } from '#testing/pki/certificate'
import { createTestCtLog, issueLoggedCertificate } from '#testing/pki/ct-log'
import { createTestPki } from '#testing/pki/pki'
import type { TestPkiOptions } from '#testing/pki/pki'
import { signMessage } from '#testing/pki/signed-entity'
import { ALICE, assertRefused, requestFor } from '#testing/verifying'
import type { VerificationErrorCode } from '../errors.js'
import type { CheckName } from '../report.js'
import { verify } from '../verify.js'

const pki = await createTestPki()

async function refuseLeaf(
  spec: CertificateSpec,
  code: VerificationErrorCode = 'VERIFY_CERTIFICATE_PATH',
): Promise<void> {
  const signed = await signMessage(pki, { signer: await pki.issueLeaf(spec) })
  await assertRefused(requestFor(signed, pki.trusted), code, 'certificate-path')
}

const BAD_LEAVES: Readonly<Record<string, CertificateSpec>> = {
  'no extended key usage': { extendedKeyUsage: null },
  'another extended key usage': { extendedKeyUsage: [EKU.timeStamping] },
  'any extended key usage': { extendedKeyUsage: [EKU.any] },
  'no key usage': { keyUsage: null },
  'a key usage without digitalSignature': { keyUsage: ['keyEncipherment'] },
  'an authority': { basicConstraints: { ca: true, pathLength: undefined } },
  'may sign certificates': { keyUsage: ['digitalSignature', 'keyCertSign'] },
  'an unknown critical extension': { extraExtensions: [encodeExtension('1.2.3.4', derNull(), { critical: true })] },
  'a precertificate': {
    extraExtensions: [encodeExtension(EXTENSION.precertificatePoison, derNull(), { critical: true })],
  },
}

test('leaves that are not for signing', async () => {
  for (const [what, spec] of Object.entries(BAD_LEAVES)) {
    await assert.doesNotReject(refuseLeaf(spec), what)
  }
})

test('an unknown extension that is not critical is nobody’s business', async () => {
  const signer = await pki.issueLeaf({ extraExtensions: [encodeExtension('1.2.3.4', derNull(), { critical: false })] })
  await verify(requestFor(await signMessage(pki, { signer }), pki.trusted))
})

const BAD_AUTHORITIES: Readonly<Record<string, TestPkiOptions>> = {
  'an intermediate that is no authority': { intermediate: { basicConstraints: { ca: false, pathLength: undefined } } },
  'an intermediate without basic constraints': { intermediate: { basicConstraints: null } },
  'an intermediate that may not sign certificates': { intermediate: { keyUsage: ['digitalSignature'] } },
  'an intermediate for time-stamping': { intermediate: { extendedKeyUsage: [EKU.timeStamping] } },
  'a root that allows no intermediate': { root: { basicConstraints: { ca: true, pathLength: 0 } } },
  'a root that is no authority': { root: { basicConstraints: { ca: false, pathLength: undefined } } },
  'names that are not permitted': {
    intermediate: { nameConstraints: { permitted: [{ kind: 'email', value: 'other.example' }], excluded: [] } },
  },
  'names that are excluded': {
    intermediate: { nameConstraints: { permitted: [], excluded: [{ kind: 'email', value: 'example.com' }] } },
  },
  'names that the root excludes': {
    root: { nameConstraints: { permitted: [], excluded: [{ kind: 'email', value: 'example.com' }] } },
  },
  'an unknown critical extension': {
    intermediate: { extraExtensions: [encodeExtension('1.2.3.4', derNull(), { critical: true })] },
  },
}

test('authorities that may not certify the leaf', async () => {
  for (const [what, options] of Object.entries(BAD_AUTHORITIES)) {
    const bad = await createTestPki(options)
    await assert.doesNotReject(
      assertRefused(requestFor(await signMessage(bad), bad.trusted), 'VERIFY_CERTIFICATE_PATH', 'certificate-path'),
      what,
    )
  }
})

test('authorities that may', async () => {
  const permitted = { permitted: [{ kind: 'email' as const, value: 'example.com' }], excluded: [] }
  for (const options of [
    { intermediate: { nameConstraints: permitted } },
    { intermediate: { extendedKeyUsage: null } },
    { intermediate: { keyUsage: null } },
    { root: { algorithm: 'rsa-sign-pkcs1-4096-sha256' }, intermediate: { algorithm: 'ed25519' } },
  ] as const) {
    const good = await createTestPki(options)
    await verify(requestFor(await signMessage(good), good.trusted))
  }
})

test('a leaf of another authority, of the same name', async () => {
  const other = await createTestPki()
  const foreign = { ...pki.trusted, certificateAuthorities: other.trusted.certificateAuthorities }
  await assertRefused(requestFor(await signMessage(pki), foreign), 'VERIFY_CERTIFICATE_PATH', 'certificate-path')
  await assertRefused(
    requestFor(await signMessage(pki), { ...foreign, certificateAuthorities: [] }),
    'VERIFY_CERTIFICATE_PATH',
    'certificate-path',
  )
})

test('self-signed leaves, also when the trusted root names them', async () => {
  const lone = await issueCertificate(leafSpec({ subject: { commonName: 'me' } }))
  const signed = await signMessage(pki, { signer: lone })
  await assertRefused(requestFor(signed, pki.trusted), 'VERIFY_CERTIFICATE_PATH', 'certificate-path')
  const authority = { ...pki.trusted.certificateAuthorities[0]!, chain: [lone.certificate] }
  const trusting = { ...pki.trusted, certificateAuthorities: [authority] }
  await assertRefused(requestFor(signed, trusting), 'VERIFY_CERTIFICATE_PATH', 'certificate-path')
})

test('several authorities: the right one is found, in any order, with and without intermediates', async () => {
  const other = await createTestPki()
  const direct = await issueLoggedCertificate(leafSpec(), pki.root, [{ log: pki.ctLog }])
  const rootOnly = { ...pki.trusted.certificateAuthorities[0]!, chain: [pki.root.certificate] }
  const all = [...other.trusted.certificateAuthorities, rootOnly, ...pki.trusted.certificateAuthorities]
  for (const certificateAuthorities of [all, [...all].reverse()]) {
    const trust = { ...pki.trusted, certificateAuthorities }
    await verify(requestFor(await signMessage(pki), trust))
    await verify(requestFor(await signMessage(pki, { signer: direct }), trust))
  }
})

test('intermediates that come with the signature help only when that is asked for, and never as an anchor', async () => {
  const rootOnly: TrustedRoot = {
    ...pki.trusted,
    certificateAuthorities: [{ ...pki.trusted.certificateAuthorities[0]!, chain: [pki.root.certificate] }],
  }
  const signed = await signMessage(pki)
  const chain = [...chainOf(signed), pki.intermediate.certificate.der]
  const entity = { ...signed.entity, key: { kind: 'certificates' as const, chain } }
  const request = requestFor({ ...signed, entity }, rootOnly)
  await assertRefused(request, 'VERIFY_CERTIFICATE_PATH', 'certificate-path')
  await verify({ ...request, useEntityIntermediates: true })
  const nobody = { ...request, trust: { ...rootOnly, certificateAuthorities: [] }, useEntityIntermediates: true }
  await assertRefused(nobody, 'VERIFY_CERTIFICATE_PATH', 'certificate-path')

  const withRoot = {
    ...signed.entity,
    key: { kind: 'certificates' as const, chain: [...chain, pki.root.certificate.der] },
  }
  await assertRefused(requestFor({ ...signed, entity: withRoot }, pki.trusted), 'VERIFY_ENTITY', 'entity')
})

test('a loop of cross-certificates ends', async () => {
  const a = await issueCertificate(
    intermediateSpec({
      subject: { commonName: 'A' },
      issuerName: { commonName: 'B' },
      basicConstraints: { ca: true, pathLength: undefined },
    }),
    pki.root,
  )
  const b = await issueCertificate(
    intermediateSpec({ subject: { commonName: 'B' }, basicConstraints: { ca: true, pathLength: undefined } }),
    a,
  )
  const a2 = await issueCertificate(
    intermediateSpec({
      subject: { commonName: 'A' },
      key: a.key,
      basicConstraints: { ca: true, pathLength: undefined },
    }),
    b,
  )
  const signer = await issueCertificate(leafSpec(), a)
  const signed = await signMessage(pki, { signer })
  const chain = [...chainOf(signed), ...[a, b, a2].map(({ certificate }) => certificate.der)]
  const entity = { ...signed.entity, key: { kind: 'certificates' as const, chain } }
  const request = requestFor({ ...signed, entity }, pki.trusted, { useEntityIntermediates: true })
  await assertRefused(request, 'VERIFY_CERTIFICATE_PATH', 'certificate-path')
})

test('validity includes both ends, of leaf, authority and period of trust', async () => {
  for (const exact of [{ notBefore: TEST_TIME }, { notAfter: TEST_TIME }]) {
    const signer = await pki.issueLeaf(exact)
    await verify(requestFor(await signMessage(pki, { signer }), pki.trusted))
  }
  const authority = pki.trusted.certificateAuthorities[0]!
  const trustedFor = (validFor: { start?: number; end?: number }): TrustedRoot => ({
    ...pki.trusted,
    certificateAuthorities: [{ ...authority, validFor }],
  })
  const signed = await signMessage(pki)
  await verify(requestFor(signed, trustedFor({ start: TEST_TIME, end: TEST_TIME })))
  await verify(requestFor(signed, trustedFor({})))
  for (const validFor of [{ start: TEST_TIME + 1 }, { end: TEST_TIME - 1 }]) {
    await assertRefused(requestFor(signed, trustedFor(validFor)), 'VERIFY_CERTIFICATE_TIME', 'certificate-path')
  }
})

test('a certificate outside of its validity at any verified time', async () => {
  await refuseLeaf({ notBefore: TEST_TIME + 1000 }, 'VERIFY_CERTIFICATE_TIME')
  await refuseLeaf({ notAfter: TEST_TIME - 1000 }, 'VERIFY_CERTIFICATE_TIME')
  // Both witnesses count: valid at the log's time, expired at the time-stamp's.
  const signed = await signMessage(pki, { timestamps: [{ time: TEST_TIME + 3_600_000 }] })
  await assertRefused(requestFor(signed, pki.trusted), 'VERIFY_CERTIFICATE_TIME', 'certificate-path')
})

test('an authority that expired before the signature (cosign#4663)', async () => {
  for (const who of ['root', 'intermediate'] as const) {
    const expired = await createTestPki({ [who]: { notAfter: TEST_TIME - 1000 } })
    await assertRefused(
      requestFor(await signMessage(expired), expired.trusted),
      'VERIFY_CERTIFICATE_TIME',
      'certificate-path',
    )
  }
})

test('keys of unsupported or weak kinds', async () => {
  const signed = await signMessage(pki)
  const entity = { ...signed.entity, key: { kind: 'certificates' as const, chain: [Uint8Array.of(0x30, 0)] } }
  await assertRefused(requestFor({ ...signed, entity }, pki.trusted), 'VERIFY_ENTITY', 'entity')
  const none = { ...signed.entity, key: { kind: 'certificates' as const, chain: [] } }
  await assertRefused(requestFor({ ...signed, entity: none }, pki.trusted), 'VERIFY_ENTITY', 'entity')
})

async function refuseScts(
  signer: TestCertificate,
  code: VerificationErrorCode,
  trust: TrustedRoot = pki.trusted,
): Promise<void> {
  const check: CheckName = 'certificate-timestamp'
  await assertRefused(requestFor(await signMessage(pki, { signer }), trust), code, check)
}

test('certificate transparency: none, unknown, wrong, too early, too few', async () => {
  const stranger = await createTestCtLog()
  await refuseScts(await pki.issueLeaf({}, []), 'VERIFY_SCT')
  await refuseScts(await pki.issueLeaf({}, [{ log: stranger }]), 'VERIFY_SCT_THRESHOLD')
  const corrupt = (sct: Uint8Array): Uint8Array => sct.with(-1, (sct.at(-1) ?? 0) ^ 1)
  await refuseScts(await pki.issueLeaf({}, [{ log: pki.ctLog, corrupt }]), 'VERIFY_SCT')
  await refuseScts(await pki.issueLeaf({}, [{ log: pki.ctLog, corrupt: () => Uint8Array.of(1) }]), 'VERIFY_SCT')
  await refuseScts(await pki.issueLeaf({}, [{ log: pki.ctLog, issuer: pki.root.certificate }]), 'VERIFY_SCT')
  await refuseScts(await pki.issueLeaf({}, [{ log: pki.ctLog, timestamp: 0 }]), 'VERIFY_SCT_THRESHOLD')

  const twice = await signMessage(pki, { signer: await pki.issueLeaf({}, [{ log: pki.ctLog }, { log: pki.ctLog }]) })
  const requirements = { certificateLogs: 2 }
  await assertRefused(requestFor(twice, pki.trusted, { requirements }), 'VERIFY_SCT_THRESHOLD', 'certificate-timestamp')
  const both = await signMessage(pki, { signer: await pki.issueLeaf({}, [{ log: pki.ctLog }, { log: stranger }]) })
  await verify(requestFor(both, { ...pki.trusted, ctlogs: [pki.ctLog.trusted, stranger.trusted] }, { requirements }))
  await verify(
    requestFor(await signMessage(pki, { signer: await pki.issueLeaf({}, []) }), pki.trusted, {
      requirements: { certificateLogs: 0 },
    }),
  )
})

test('certificate transparency: extensions are signed, unknown logs are passed over, periods include both ends', async () => {
  const stranger = await createTestCtLog('ecdsa-sha2-384-nistp384')
  const extensions = encodeLeafIndexExtension(7n)
  const signer = await pki.issueLeaf({}, [{ log: stranger }, { log: pki.ctLog, extensions }])
  const signed = await signMessage(pki, { signer })
  await verify(requestFor(signed, pki.trusted))
  const ctlogs = (start: number, end: number) => [{ ...pki.ctLog.trusted, validFor: { start, end } }]
  await verify(requestFor(signed, { ...pki.trusted, ctlogs: ctlogs(TEST_TIME, TEST_TIME) }))
  for (const logs of [
    ctlogs(TEST_TIME + 1, TEST_TIME + 2),
    ctlogs(TEST_TIME - 2, TEST_TIME - 1),
    [{ ...pki.ctLog.trusted, validFor: {} }],
  ]) {
    await assertRefused(
      requestFor(signed, { ...pki.trusted, ctlogs: logs }),
      'VERIFY_SCT_THRESHOLD',
      'certificate-timestamp',
    )
  }
})

test('certificate transparency logs with other keys', async () => {
  for (const algorithm of ['ecdsa-sha2-384-nistp384', 'rsa-sign-pkcs1-3072-sha256', 'ed25519'] as const) {
    const other = await createTestPki({ ctLogAlgorithm: algorithm })
    await verify(requestFor(await signMessage(other), other.trusted))
  }
})

test('the policy is the last word on a certificate: nothing of the path makes up for a wrong name', async () => {
  const signer = await pki.issueLeaf({ subjectAltNames: [{ kind: 'email', value: 'mallory@example.com' }] })
  await assertRefused(
    requestFor(await signMessage(pki, { signer }), pki.trusted, { policy: ALICE }),
    'VERIFY_IDENTITY',
    'identity',
  )
  assert.equal(rootSpec().basicConstraints?.ca, true)
})

function chainOf(signed: Awaited<ReturnType<typeof signMessage>>): readonly Uint8Array[] {
  return signed.entity.key.kind === 'certificates' ? signed.entity.key.chain : []
}
