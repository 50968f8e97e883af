import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { readDocuments } from '../internal/documents.js'
import { compileClusterImagePolicy } from './compile.js'
import type { CompilePorts } from './policy-text.js'

const NOTHING: CompilePorts = {
  remoteText: () => Promise.reject(new Error('unreachable')),
  configMapText: () => Promise.reject(new Error('unreachable')),
  clock: () => 0,
}

const IDENTITIES = `identities: [{issuer: https://issuer.example.com, subject: ann@example.com}]`

const yaml = (spec: string, version = 'v1beta1'): string => `apiVersion: policy.sigstore.dev/${version}
kind: ClusterImagePolicy
metadata: {name: p}
spec: ${spec}
`

async function compile(text: string, failOnEmptyAuthorities = true) {
  const [document] = await readDocuments(text, 'policy.yaml')
  assert.ok(document)
  return await compileClusterImagePolicy(document.value, { ports: NOTHING, failOnEmptyAuthorities })
}

const authority = (text: string): string => yaml(`{images: [{glob: '**'}], authorities: [${text}]}`)

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['no images', yaml(`{authorities: [{static: {action: pass}}]}`), 'missing field(s): spec.images'],
  ['no authorities', yaml(`{images: [{glob: '*'}]}`), 'missing field(s): spec.authorities'],
  [
    'an empty glob',
    yaml(`{images: [{glob: ''}], authorities: [{static: {action: pass}}]}`),
    'missing field(s): spec.images[0].glob',
  ],
  [
    'a glob with a bracket',
    yaml(`{images: [{glob: '['}], authorities: [{static: {action: pass}}]}`),
    'invalid value: [: spec.images[0].glob',
  ],
  [
    'another mode',
    yaml(`{mode: audit, images: [{glob: '*'}], authorities: [{static: {action: pass}}]}`),
    'invalid value: audit: spec.mode',
  ],
  ['an unknown field', yaml(`{images: [{glob: '*'}], authorites: []}`), 'unknown field "spec.authorites"'],
  [
    'a resource that is none',
    yaml(`{match: [{resource: apple}], images: [{glob: '*'}], authorities: [{static: {action: pass}}]}`),
    'validation failed: invalid value: apple: spec.match[0].resource',
  ],
  [
    'a selector for nothing',
    yaml(
      `{match: [{selector: {matchLabels: {a: b}}}], images: [{glob: '*'}], authorities: [{static: {action: pass}}]}`,
    ),
    'spec.match[0].selector',
  ],
  [
    'none of the three',
    authority('{rfc3161timestamp: {trustRootRef: a}}'),
    'expected exactly one, got neither: spec.authorities[0].key, spec.authorities[0].keyless, spec.authorities[0].static',
  ],
  [
    'two of the three',
    authority(`{key: {kms: 'hashivault://k'}, keyless: {${IDENTITIES}}}`),
    'expected exactly one, got both: spec.authorities[0].key, spec.authorities[0].keyless, spec.authorities[0].static',
  ],
  [
    'a key of nothing',
    authority('{key: {}}'),
    'expected exactly one, got neither: spec.authorities[0].key.data, spec.authorities[0].key.kms, spec.authorities[0].key.secretref',
  ],
  [
    'a key that is none',
    authority('{key: {data: x}}'),
    'validation failed: invalid value: x: spec.authorities[0].key.data',
  ],
  [
    'a hash that is none',
    authority(`{key: {kms: 'hashivault://k', hashAlgorithm: md5}}`),
    'invalid value: md5: spec.authorities[0].key.hashAlgorithm',
  ],
  [
    'a hash that is not here',
    authority(`{key: {kms: 'hashivault://k', hashAlgorithm: sha224}}`),
    'invalid value: sha224: spec.authorities[0].key.hashAlgorithm',
  ],
  [
    'an AWS key by its bare id',
    authority(`{key: {kms: 'awskms:///1234abcd-12ab-34cd-56ef-1234567890ab'}}`),
    'spec.authorities[0].key.kms',
  ],
  ['a key service that is none', authority(`{key: {kms: 'ftp://k'}}`), 'spec.authorities[0].key.kms'],
  [
    'a secret without a name',
    authority('{key: {secretRef: {}}}'),
    'missing field(s): spec.authorities[0].key.secretRef.name',
  ],
  ['nobody', authority('{keyless: {url: http://fulcio}}'), 'keyless.identities: Invalid value'],
  [
    'an issuer only',
    authority('{keyless: {identities: [{issuer: i}]}}'),
    'missing field(s): spec.authorities[0].keyless.identities[0].subject, spec.authorities[0].keyless.identities[0].subjectRegExp',
  ],
  [
    'a subject only',
    authority('{keyless: {identities: [{subject: i}]}}'),
    'missing field(s): spec.authorities[0].keyless.identities[0].issuer, spec.authorities[0].keyless.identities[0].issuerRegExp',
  ],
  [
    'a pattern that is none',
    authority(`{keyless: {identities: [{issuerRegExp: '****', subject: s}]}}`),
    'invalid value: ****: spec.authorities[0].keyless.identities[0].issuerRegExp',
  ],
  [
    'text and pattern',
    authority('{keyless: {identities: [{issuer: i, issuerRegExp: i, subject: s}]}}'),
    'expected exactly one, got both: spec.authorities[0].keyless.identities[0].issuer',
  ],
  [
    'an address and certificates',
    authority(`{keyless: {url: http://f, ca-cert: {kms: 'hashivault://k'}, ${IDENTITIES}}}`),
    'expected exactly one, got both: spec.authorities[0].keyless.ca-cert, spec.authorities[0].keyless.url',
  ],
  [
    'static with attestations',
    authority('{static: {action: pass}, attestations: [{name: a, predicateType: custom}]}'),
    'got both: spec.authorities[0].attestations, spec.authorities[0].static',
  ],
  [
    'a static action that is none',
    authority('{static: {action: maybe}}'),
    'invalid value: maybe: spec.authorities[0].static.action',
  ],
  [
    'two sources',
    authority(`{keyless: {${IDENTITIES}}, source: [{oci: a/b}, {oci: c/d}]}`),
    'spec.authorities[0].source',
  ],
  [
    'a source that is none',
    authority(`{keyless: {${IDENTITIES}}, source: [{oci: 'A B'}]}`),
    'spec.authorities[0].source[0].oci',
  ],
  [
    'a bundle by a key',
    authority(`{key: {kms: 'hashivault://k'}, signatureFormat: bundle}`),
    'the authority must be keyless',
  ],
  [
    'two trust roots in a bundle',
    authority(`{keyless: {trustRootRef: a, ${IDENTITIES}}, ctlog: {trustRootRef: b}, signatureFormat: bundle}`),
    'expected one trustRootRef',
  ],
  [
    'an attestation without a type',
    authority(`{keyless: {${IDENTITIES}}, attestations: [{name: a}]}`),
    'missing field(s): spec.authorities[0].attestations[0].predicateType',
  ],
  [
    'two attestations of one name',
    authority(
      `{keyless: {${IDENTITIES}}, attestations: [{name: a, predicateType: vuln}, {name: a, predicateType: spdx}]}`,
    ),
    'spec.authorities[0].attestations',
  ],
  [
    'CUE that is none',
    authority(
      `{keyless: {${IDENTITIES}}, attestations: [{name: a, predicateType: vuln, policy: {type: cue, data: 'a: {'}}]}`,
    ),
    'spec.authorities[0].attestations[0].policy.data',
  ],
  [
    'a policy by http',
    yaml(
      `{images: [{glob: '*'}], authorities: [{static: {action: pass}}], policy: {type: cue, remote: {url: http://a, sha256sum: ${'0'.repeat(64)}}}}`,
    ),
    'invalid value: http://a: spec.policy.remote.url',
  ],
  [
    'a policy of nothing',
    yaml(`{images: [{glob: '*'}], authorities: [{static: {action: pass}}], policy: {type: cue}}`),
    'expected exactly one, got neither: spec.policy.data',
  ],
  [
    'a policy in another language',
    yaml(`{images: [{glob: '*'}], authorities: [{static: {action: pass}}], policy: {type: lua, data: x}}`),
    'invalid value: lua: spec.policy.type',
  ],
  [
    'fetchConfigFile on an attestation',
    authority(
      `{keyless: {${IDENTITIES}}, attestations: [{name: a, predicateType: vuln, policy: {type: cue, data: '', fetchConfigFile: true}}]}`,
    ),
    'unknown field "spec.authorities[0].attestations[0].policy.fetchConfigFile"',
  ],
  [
    'two authorities of one name',
    authority(`{name: a, static: {action: pass}}, {name: a, static: {action: fail}}`),
    'spec.authorities',
  ],
  ['a list in place of an object', authority('{static: []}'), 'spec.authorities[0].static'],
  ['a number in place of a text', authority('{static: {action: 1}}'), 'spec.authorities[0].static.action'],
]

for (const [name, text, expected] of REFUSED) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(compile(text), (error: unknown) => {
      assert.ok(isCodedError(error), String(error))
      assert.equal(error.code, 'POLICY_FIELD')
      assert.ok(error.message.startsWith('validation failed: '), error.message)
      assert.ok(error.message.includes(expected), error.message)
      return true
    })
  })
}

test('another ClusterImagePolicy, and another version, are not taken for this one', async () => {
  for (const version of ['v1', 'v2beta1']) await assert.rejects(compile(yaml('{}', version)), { code: 'POLICY_KIND' })
  await assert.rejects(compile('apiVersion: config.openshift.io/v1\nkind: ClusterImagePolicy\nmetadata: {name: a}'), {
    code: 'POLICY_KIND',
  })
})

test('every field together compiles', async () => {
  const policy = await compile(
    yaml(`
  mode: warn
  match: [{resource: pods, version: v1, selector: {matchExpressions: [{key: a, operator: In, values: [b]}]}}]
  images: [{glob: 'ghcr.io/**'}, {glob: '*'}]
  authorities:
  - {name: one, keyless: {${IDENTITIES}, trustRootRef: mine, insecureIgnoreSCT: true}, ctlog: {trustRootRef: mine}, signatureFormat: bundle}
  - {key: {kms: 'hashivault://k', hashAlgorithm: sha512}, source: [{oci: a.example/b, tagPrefix: x, signaturePullSecrets: [{name: s}]}]}
  - {key: {secretRef: {name: s}}, rfc3161timestamp: {trustRootRef: mine}, attestations: [{name: a, predicateType: custom}]}
  - {static: {action: fail, message: no}}
  policy: {type: cue, data: 'authorityMatches: one: signatures: [...]', includeSpec: true, includeTypeMeta: true}`),
  )
  assert.deepEqual(policy.warnings, [
    'spec.authorities[2].attestations[0].predicateType: deprecated value, please use RFC 3986 conformant values',
  ])
  const [rule] = policy.rules
  assert.ok(rule?.kind === 'images' && rule.demand?.kind === 'count')
  assert.deepEqual(
    rule.demand.of.map(({ kind }) => kind),
    ['signature', 'signature', 'count', 'static'],
  )
})

test('without the flag a policy without authorities is taken', async () => {
  const { rules } = await compile(yaml(`{images: [{glob: '*'}]}`), false)
  assert.equal(rules.length, 1)
})

test('the content hash is that of the content', async () => {
  const [one, same, other] = await Promise.all([
    compile(authority('{static: {action: pass}}')),
    compile(authority('{"static": {"action": "pass"}}')),
    compile(authority('{static: {action: fail}}')),
  ])
  assert.equal(one.contentHash, same.contentHash)
  assert.notEqual(one.contentHash, other.contentHash)
})

test('any document gives a policy or a coded error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.object({ maxDepth: 4 }), async (spec) => {
      const document = {
        apiVersion: 'policy.sigstore.dev/v1beta1',
        kind: 'ClusterImagePolicy',
        metadata: { name: 'a' },
        spec,
      }
      try {
        await compileClusterImagePolicy(JSON.parse(JSON.stringify(document)) as never, {
          ports: NOTHING,
          failOnEmptyAuthorities: true,
        })
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
