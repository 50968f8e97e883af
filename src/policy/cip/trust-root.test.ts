import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { publicKeyToPem } from '#crypto/public-key'
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { createTestPki } from '#testing/pki/pki'
import { DEFAULT_CONTROLLER_CONFIG, readControllerConfig } from './controller-config.js'
import { readTrustRoot } from './trust-root.js'

const pki = await createTestPki()
const { trusted } = pki
const chain =
  encodePem('CERTIFICATE', pki.intermediate.certificate.der) + encodePem('CERTIFICATE', pki.root.certificate.der)
const keyOf = (index: number): string => publicKeyToPem(trusted.tlogs[index]!.key)
const subject = { organization: 'a', commonName: 'b' }

const document = (spec: unknown): JsonObject => ({
  apiVersion: 'policy.sigstore.dev/v1alpha1',
  kind: 'TrustRoot',
  metadata: { name: 'mine' },
  spec: spec as JsonObject,
})

const authority = { subject, uri: 'https://fulcio', certChain: encodeBase64(encodeUtf8(chain)) }
const log = { baseURL: 'https://rekor', hashAlgorithm: 'sha-256', publicKey: encodeBase64(encodeUtf8(keyOf(0))) }

test('own keys, in base64 as Kubernetes has them or as they are', () => {
  const { name, source } = readTrustRoot(
    document({
      sigstoreKeys: {
        certificateAuthorities: [authority, { ...authority, certChain: chain }],
        tLogs: [log, { ...log, publicKey: keyOf(0) }],
        ctLogs: [],
        timestampAuthorities: [],
      },
    }),
  )
  assert.equal(name, 'mine')
  assert.ok(source.kind === 'keys')
  assert.equal(source.root.certificateAuthorities.length, 2)
  assert.deepEqual(source.root.tlogs[0]?.logId, trusted.tlogs[0]!.logId)
  assert.equal(source.root.tlogs[1]?.hashAlgorithm, 'sha256')
})

test('repositories, live and packed', () => {
  const remote = readTrustRoot(document({ remote: { root: 'e30=', mirror: 'https://tuf.example' } }))
  assert.ok(remote.source.kind === 'remote')
  assert.equal(remote.source.target, 'trusted_root.json')
  const packed = readTrustRoot(
    document({ repository: { root: 'e30=', mirrorFS: 'AAAA', targets: 'targets', trustedRootTarget: 'x.json' } }),
  )
  assert.ok(packed.source.kind === 'repository')
  assert.equal(packed.source.target, 'x.json')
})

for (const [name, spec, expected] of [
  ['nothing', {}, 'expected exactly one, got neither: spec.remote, spec.repository, spec.sigstoreKeys'],
  ['two', { remote: {}, sigstoreKeys: {} }, 'expected exactly one, got both'],
  ['no keys', { sigstoreKeys: {} }, 'missing field(s): spec.sigstoreKeys.certificateAuthorities'],
  [
    'an unknown field',
    { sigstoreKeys: { certificateAuthorities: [authority], tlogs: [] } },
    'unknown field "spec.sigstoreKeys.tlogs"',
  ],
  [
    'certificates that are none',
    { sigstoreKeys: { certificateAuthorities: [{ ...authority, certChain: 'AAAA' }] } },
    'certChain',
  ],
  ['a private key', { sigstoreKeys: { tLogs: [{ ...log, publicKey: 'AAAA' }] } }, 'publicKey'],
  [
    'a hash that is none',
    { sigstoreKeys: { tLogs: [{ ...log, hashAlgorithm: 'md5' }] } },
    'invalid value: md5: spec.sigstoreKeys.tLogs[0].hashAlgorithm',
  ],
  [
    'a log without a place',
    { sigstoreKeys: { tLogs: [{ ...log, baseURL: '' }] } },
    'missing field(s): spec.sigstoreKeys.tLogs[0].baseURL',
  ],
  [
    'several mistakes, all told',
    { sigstoreKeys: { certificateAuthorities: [{ subject }], tLogs: [{}] } },
    'spec.sigstoreKeys.tLogs[0].baseURL',
  ],
  ['a mirror that is none', { remote: { root: 'e30=', mirror: 'here' } }, 'invalid value: here: spec.remote.mirror'],
  ['a root that is no base64', { remote: { root: '*', mirror: 'https://a' } }, 'spec.remote.root'],
] as const) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => readTrustRoot(document(spec)),
      (error: unknown) => isCodedError(error) && error.code === 'POLICY_FIELD' && error.message.includes(expected),
    )
  })
}

test('any specification gives a trust root or a coded error', () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 4 }), (spec) => {
      try {
        readTrustRoot(document(JSON.parse(JSON.stringify(spec))))
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

test('the settings of the controller', () => {
  const config = (data: JsonObject): JsonObject => ({ kind: 'ConfigMap', data })
  assert.deepEqual(readControllerConfig(config({})), DEFAULT_CONTROLLER_CONFIG)
  assert.deepEqual(readControllerConfig(config({ 'no-match-policy': 'allow', 'fail-on-empty-authorities': 'false' })), {
    noMatch: 'allow',
    failOnEmptyAuthorities: false,
  })
  for (const data of [{ 'no-match-policy': 'maybe' }, { 'fail-on-empty-authorities': 'no' }, { 'no-match-policy': 1 }])
    assert.throws(() => readControllerConfig(config(data)), { code: 'POLICY_FIELD' })
})
