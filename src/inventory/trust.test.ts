import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTestPki } from '#testing/pki/pki'
import type { IdentityRequirement, Policy } from '#verify/identity/identity-policy'
import { compilePattern } from '#verify/pattern/pattern'
import { describePolicy, trustFingerprint, type TrustContent } from './trust.js'

const pki = await createTestPki()
const other = await createTestPki()
const identity = (more: Partial<IdentityRequirement> = {}): Policy => ({
  kind: 'identities',
  anyOf: [{ subject: { exact: 'ann@example.com' }, issuer: { exact: 'https://issuer.example.com' }, ...more }],
})
const BASE: TrustContent = { sboms: identity(), vex: undefined, evidence: { ignoreTlog: false }, root: pki.trusted }
const { key } = await pki.issueLeaf()

describe('the fingerprint changes with whatever could make something count', () => {
  test('the same trust has one', () => {
    assert.equal(trustFingerprint(BASE), trustFingerprint({ ...BASE, sboms: identity() }))
    assert.match(trustFingerprint(BASE), /^[0-9a-f]{64}$/)
  })

  const changes: Readonly<Record<string, Partial<TrustContent>>> = {
    'another subject': { sboms: identity({ subject: { exact: 'bob@example.com' } }) },
    'another issuer': { sboms: identity({ issuer: { exact: 'https://other.example.com' } }) },
    'a pattern of the same text': {
      sboms: identity({ subject: { unsafePattern: compilePattern('ann@example.com') } }),
    },
    'another kind of pattern': { sboms: identity({ subject: { unsafePart: compilePattern('ann@example.com') } }) },
    'several requirements': { sboms: identity({ subject: { allOf: [{ exact: 'ann@example.com' }] } }) },
    'a claim': { sboms: identity({ claims: { sourceRepositoryUri: { exact: 'https://example.com/a' } } }) },
    'one more identity': {
      sboms: {
        kind: 'identities',
        anyOf: [identity(), identity()].flatMap((each) => (each.kind === 'identities' ? each.anyOf : [])),
      },
    },
    'a key': { sboms: { kind: 'key', key: key.publicKey } },
    'signers of OpenVEX': { vex: identity() },
    'the same signers for the other kind': { sboms: identity({ subject: { exact: 'x' } }), vex: identity() },
    'less evidence': { evidence: { ignoreTlog: true } },
    'another trusted root': { root: other.trusted },
    'no trusted root': { root: undefined },
  }
  const fingerprints = new Map<string, string>([[trustFingerprint(BASE), 'the base']])
  for (const [name, change] of Object.entries(changes)) {
    test(name, () => {
      const fingerprint = trustFingerprint({ ...BASE, ...change })
      assert.equal(fingerprints.get(fingerprint), undefined)
      fingerprints.set(fingerprint, name)
    })
  }
})

test('signers in words', () => {
  const { sboms } = {
    sboms: identity({
      subject: { unsafePattern: compilePattern('.*@example.com') },
      claims: { sourceRepositoryUri: { exact: 'x' } },
    }),
  }
  assert.deepEqual(describePolicy(sboms), ['/.*@example.com/ (https://issuer.example.com), sourceRepositoryUri x'])
  assert.match(describePolicy({ kind: 'key', key: key.publicKey })[0] ?? '', /^key [0-9a-f]{64}$/)
})
