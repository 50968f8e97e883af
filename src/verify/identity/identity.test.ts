/** Who is allowed: subjects of every kind, issuers, claims, patterns, and several identities. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derUtf8String } from '#encoding/der-writer'
import { FULCIO_CLAIMS } from '#formats/x509/fulcio-extensions'
import type { FulcioExtensions } from '#formats/x509/fulcio-extensions'
import type { GeneralName } from '#formats/x509/general-name'
import { FULCIO_USERNAME } from '#formats/x509/oids'
import { createTestPki } from '#testing/pki/pki'
import { signMessage } from '#testing/pki/signed-entity'
import type { SignedArtifact } from '#testing/pki/signed-entity'
import { assertRefused, requestFor } from '#testing/verifying'
import { compilePattern } from '../pattern/pattern.js'
import { verify } from '../verify.js'
import type { IdentityRequirement, RequirableClaim } from './identity-policy.js'

const ISSUER = 'https://issuer.example.com'
const pki = await createTestPki()

async function signedAs(
  subjectAltNames: readonly GeneralName[] | null,
  fulcio: FulcioExtensions = { issuer: ISSUER },
): Promise<SignedArtifact> {
  return signMessage(pki, { signer: await pki.issueLeaf({ subjectAltNames, fulcio }) })
}

const allowed = (subject: string, issuer = ISSUER): IdentityRequirement => ({
  subject: { exact: subject },
  issuer: { exact: issuer },
})
const accept = (signed: SignedArtifact, ...anyOf: readonly IdentityRequirement[]) =>
  verify(requestFor(signed, pki.trusted, { policy: { kind: 'identities', anyOf } }))
const refuse = (signed: SignedArtifact, ...anyOf: readonly IdentityRequirement[]) =>
  assertRefused(
    requestFor(signed, pki.trusted, { policy: { kind: 'identities', anyOf } }),
    'VERIFY_IDENTITY',
    'identity',
  )

const WORKFLOW = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1'
const username: GeneralName = {
  kind: 'other',
  oid: FULCIO_USERNAME,
  value: derUtf8String('alice!example.com'),
  text: 'alice!example.com',
}

test('e-mail addresses, URIs and user names are subjects', async () => {
  for (const [name, value] of [
    [{ kind: 'email', value: 'alice@example.com' }, 'alice@example.com'],
    [{ kind: 'uri', value: WORKFLOW }, WORKFLOW],
    [{ kind: 'dns', value: 'build.example.com' }, 'build.example.com'],
    [{ kind: 'ip', value: Uint8Array.of(192, 0, 2, 1) }, '192.0.2.1'],
    [username, 'alice!example.com'],
  ] as const satisfies readonly (readonly [GeneralName, string])[]) {
    const signed = await signedAs([name])
    const result = await accept(signed, allowed(value))
    assert.deepEqual(result.signer.kind === 'certificate' && result.signer.matched, allowed(value))
    await refuse(signed, allowed(`${value}x`))
    await refuse(signed, allowed(` ${value}`))
    if (value !== value.toUpperCase()) await refuse(signed, allowed(value.toUpperCase()))
  }
})

test('an otherName of another kind is no subject, nor is a certificate without names', async () => {
  const other: GeneralName = { ...username, oid: '1.2.3.4' }
  await refuse(await signedAs([other]), allowed('alice!example.com'))
  const error = await refuse(await signedAs(null), allowed('alice@example.com'))
  assert.match(error.found ?? '', /subject none/)
})

test('the issuer is always part of the identity', async () => {
  const signed = await signedAs([{ kind: 'email', value: 'alice@example.com' }])
  const error = await refuse(signed, allowed('alice@example.com', 'https://other.example.com'))
  assert.match(error.expected ?? '', /other\.example\.com/)
  assert.match(error.found ?? '', /issuer\.example\.com/)
  await refuse(await signedAs([{ kind: 'email', value: 'alice@example.com' }], {}), allowed('alice@example.com'))
})

test('the issuer of the older extension alone, of both, and of two that disagree', async () => {
  const names: readonly GeneralName[] = [{ kind: 'email', value: 'alice@example.com' }]
  await accept(await signedAs(names, { issuerV1: ISSUER }), allowed('alice@example.com'))
  await accept(await signedAs(names, { issuerV1: ISSUER, issuer: ISSUER }), allowed('alice@example.com'))
  const torn = await signedAs(names, { issuerV1: ISSUER, issuer: 'https://evil.example' })
  for (const issuer of [ISSUER, 'https://evil.example']) {
    const policy = { kind: 'identities' as const, anyOf: [allowed('alice@example.com', issuer)] }
    await assertRefused(requestFor(torn, pki.trusted, { policy }), 'VERIFY_CERTIFICATE', 'identity')
  }
})

test('one of several identities suffices, but it must match as a whole', async () => {
  const signed = await signedAs([{ kind: 'email', value: 'alice@example.com' }])
  const result = await accept(signed, allowed('bob@example.com'), allowed('alice@example.com'))
  assert.deepEqual(result.signer.kind === 'certificate' && result.signer.matched?.subject, {
    exact: 'alice@example.com',
  })
  // Bob's issuer with Alice's name is nobody's identity.
  const error = await refuse(signed, allowed('bob@example.com'), allowed('alice@example.com', 'https://bob.example'))
  assert.match(error.message, /closest of 2/)
})

test('patterns match whole values, and a refusal says so', async () => {
  const signed = await signedAs([{ kind: 'uri', value: WORKFLOW }])
  const pattern = (source: string): IdentityRequirement => ({
    subject: { unsafePattern: compilePattern(source) },
    issuer: { exact: ISSUER },
  })
  await accept(signed, pattern('https://github\\.com/acme/.*'))
  await accept(signed, {
    subject: { exact: WORKFLOW },
    issuer: { unsafePattern: compilePattern('https://issuer\\..*') },
  })
  const error = await refuse(signed, pattern('https://github\\.com/acme/'))
  assert.match(error.hint ?? '', /whole value/)
  assert.doesNotMatch((await refuse(signed, pattern('gitlab'))).hint ?? '', /whole value/)
})

test('a part of a value suffices only where the policy says so by name, and every one of several texts must hold', async () => {
  const signed = await signedAs([{ kind: 'uri', value: WORKFLOW }])
  const part = (source: string): IdentityRequirement => ({
    subject: { unsafePart: compilePattern(source) },
    issuer: { exact: ISSUER },
  })
  await accept(signed, part('/acme/'))
  await refuse(signed, part('^/acme/'))
  await refuse(signed, part('/evil/'))
  await refuse(await signedAs(null), part('.*'))
  const both = (...allOf: IdentityRequirement['issuer'][]): IdentityRequirement => ({
    subject: { exact: WORKFLOW },
    issuer: { allOf },
  })
  await accept(signed, both({ exact: ISSUER }, { unsafePart: compilePattern('issuer') }))
  await refuse(signed, both({ exact: ISSUER }, { unsafePart: compilePattern('other') }))
  await refuse(signed, both({ exact: 'https://other.example.com' }, { unsafePart: compilePattern('issuer') }))
  for (const unusable of [both(), both({ exact: '' }), part('')]) {
    const policy = { kind: 'identities' as const, anyOf: [unusable] }
    await assert.rejects(verify(requestFor(signed, pki.trusted, { policy })), { code: 'VERIFY_POLICY' })
  }
})

test('every claim of Fulcio’s can be required by its name', async () => {
  const claims = FULCIO_CLAIMS.map(({ claim }) => claim).filter(
    (claim): claim is RequirableClaim => claim !== 'issuer' && claim !== 'issuerV1',
  )
  assert.equal(claims.length, 21)
  const fulcio: FulcioExtensions = {
    issuer: ISSUER,
    ...Object.fromEntries(claims.map((claim) => [claim, `value of ${claim}`])),
  }
  const signed = await signedAs([{ kind: 'uri', value: WORKFLOW }], fulcio)
  const without = await signedAs([{ kind: 'uri', value: WORKFLOW }])
  for (const claim of claims) {
    const right = { ...allowed(WORKFLOW), claims: { [claim]: { exact: `value of ${claim}` } } }
    await accept(signed, right)
    await refuse(without, right)
    const error = await refuse(signed, { ...allowed(WORKFLOW), claims: { [claim]: { exact: 'another' } } })
    assert.match(error.expected ?? '', new RegExp(claim))
  }
  const all = Object.fromEntries(claims.map((claim) => [claim, { unsafePattern: compilePattern(`value of ${claim}`) }]))
  await accept(signed, { ...allowed(WORKFLOW), claims: all })
})

test('a claim that no certificate has, by a name that every object has', async () => {
  const signed = await signedAs([{ kind: 'uri', value: WORKFLOW }])
  for (const name of ['constructor', '__proto__', 'toString']) {
    const claims = Object.fromEntries([[name, { unsafePattern: compilePattern('.*') }]])
    await refuse(signed, { ...allowed(WORKFLOW), claims })
  }
})

test('several subjects: any of them can be the allowed one', async () => {
  const signed = await signedAs([
    { kind: 'dns', value: 'a.example.com' },
    { kind: 'email', value: 'alice@example.com' },
  ])
  await accept(signed, allowed('alice@example.com'))
  await accept(signed, allowed('a.example.com'))
  await refuse(signed, allowed('a.example.com,alice@example.com'))
})
