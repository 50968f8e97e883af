/** What is refused when a policy is loaded, and what is made of what is not. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonObject, JsonValue } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { PODS, policyDocument, policyOf } from '#testing/policy/ivpol'
import { explainPolicy } from '../engine/explain-policy.js'
import { compilePolicy, isPolicy, standInFor } from '../front-ends.js'
import type { CompiledPolicy, ReviewProgram } from '../internal/policy.js'
import { compileImageValidatingPolicy } from './compile.js'
import { guardedByImageValidatingPolicy } from './guarded.js'

async function refused(spec: JsonObject, message: RegExp): Promise<void> {
  await assert.rejects(policyOf({ spec }), (error: unknown) => {
    assert.ok(isCodedError(error), String(error))
    assert.equal(error.code, 'POLICY_FIELD')
    assert.match(error.message, message)
    return true
  })
}

function programsOf({ rules }: CompiledPolicy): readonly ReviewProgram[] {
  return rules.filter((rule) => rule.kind === 'program')
}

const validated = (expression: string): JsonObject => ({ validations: [{ expression }] })
const attested = (cosign: JsonObject): JsonObject => ({ attestors: [{ name: 'a', cosign }] })

describe('expressions are checked when a policy is loaded', () => {
  const REFUSED: readonly (readonly [expression: string, message: RegExp])[] = [
    ['', /spec\.validations\[0\]\.expression: Required value/],
    ['1 +', /spec\.validations\[0\]\.expression: Invalid value: not a CEL expression.*line 1/],
    ['1', /output is expected to be of type bool; int at line 1/],
    ["'true'", /output is expected to be of type bool/],
    ['unknown', /undeclared reference to 'unknown'; line 1, column 1/],
    ['images.containers.all(i, nothing(i))', /undeclared reference to 'nothing'; line 1, column 26/],
    ['variables.x', /undefined field 'x'/],
    ['request.nothing == 1', /undefined field 'nothing'/],
    ["object.name.matches('(')", /invalid matches argument/],
    ["verifyImageSignatures('a') > 0", /found no matching overload for 'verifyImageSignatures'/],
    ["verifyImageSignatures('a', [attestors.a])", /output is expected to be of type bool; int/],
    ["payload('a', 'b')", /undeclared reference to 'payload'/],
    ["authorizer.group('').resource('pods').check('get').allowed()", /'authorizer' is not supported/],
    ["http.Get('http://example.com').x", /'http' is not supported: a policy does not make requests/],
    ["random('[a-z]') == 'a'", /'random' is not supported/],
    ["md5('a') == 'b'", /'md5' is not supported.*use sha256/],
    ["sha1('a') == 'b'", /'sha1' is not supported/],
    ["[1, 'a'].size() == 2", /expected type 'int' but found 'string'.*dyn/],
    [`${'('.repeat(300)}true${')'.repeat(300)}`, /too large|too deeply/],
  ]
  for (const [expression, message] of REFUSED)
    test(expression.slice(0, 60), async () => {
      await refused(validated(expression), message)
    })

  test('wherever they stand', async () => {
    await refused(
      { matchConditions: [{ name: 'a', expression: 'x' }] },
      /spec\.matchConditions\[0\]\.expression: .*undeclared/,
    )
    await refused(
      { matchConditions: [{ name: 'a', expression: '1' }] },
      /spec\.matchConditions\[0\]\.expression: .*bool/,
    )
    await refused({ variables: [{ name: 'a', expression: 'x' }] }, /spec\.variables\[0\]\.expression: .*undeclared/)
    await refused({ images: [{ name: 'a', expression: "'x'" }] }, /spec\.images\[0\]\.expression: .*list\(string\)/)
    await refused(
      { validations: [{ expression: 'true', messageExpression: '1' }] },
      /messageExpression: .*of type string/,
    )
    await refused(
      { auditAnnotations: [{ key: 'a', valueExpression: '1' }] },
      /valueExpression: .*of type string or null_type/,
    )
    await refused(
      { matchImageReferences: [{ expression: 'image.registry == "x"' }] },
      /undeclared reference to 'image'/,
    )
    await refused(attested({ key: { expression: '1' } }), /spec\.attestors\[0\]: .*of type string/)
    await refused(attested({ key: { expression: 'x' } }), /spec\.attestors\[0\]: .*undeclared/)
    await refused(
      attested({ keyless: { identities: [{ issuer: 'a', subjectExpression: 'x' }] } }),
      /spec\.attestors\[0\]: .*undeclared/,
    )
    await refused({ attestors: [{ name: 'n', notary: { certs: { expression: 'x' } } }] }, /undeclared reference to 'x'/)
  })

  test('variables know those before them, and no others', async () => {
    await policyOf({
      spec: {
        variables: [
          { name: 'a', expression: "'x'" },
          { name: 'b', expression: 'variables.a.size()' },
        ],
        ...validated('variables.b == 1'),
      },
    })
    await refused(
      {
        variables: [
          { name: 'b', expression: 'variables.a' },
          { name: 'a', expression: '1' },
        ],
      },
      /spec\.variables\[0\]\.expression: .*undefined field 'a'/,
    )
    await refused(
      { variables: [{ name: 'a', expression: "'x'" }], ...validated('variables.a > 1') },
      /found no matching overload for '_>_'/,
    )
  })
})

describe('fields are checked', () => {
  const REFUSED: readonly (readonly [name: string, spec: JsonObject, message: RegExp])[] = [
    ['unknown', { verify: true }, /unknown field "spec\.verify"/],
    ['no constraints', { matchConstraints: {} }, /a matchConstraints with at least one resource rule is required/],
    [
      'an action',
      { validationActions: ['test'] },
      /validationActions\[0\]: Unsupported value: "test": supported values: "Deny", "Audit", "Warn"/,
    ],
    [
      'a failure policy',
      { failurePolicy: 'fail' },
      /failurePolicy: Unsupported value: "fail": supported values: "Fail", "Ignore"/,
    ],
    ['a mode', { evaluation: { mode: 'Yaml' } }, /evaluation\.mode: Unsupported value/],
    ['a timeout', { webhookConfiguration: { timeoutSeconds: 31 } }, /must be between 1 and 30/],
    ['no validations', { validations: [] }, /spec\.validations: Required value/],
    [
      'a name of a condition',
      { matchConditions: [{ name: 'a b', expression: 'true' }] },
      /matchConditions\[0\]\.name: Invalid value/,
    ],
    [
      'two conditions of a name',
      {
        matchConditions: [
          { name: 'a', expression: 'true' },
          { name: 'a', expression: 'true' },
        ],
      },
      /Duplicate value: "a"/,
    ],
    ['a reference', { matchImageReferences: [{}] }, /either glob or expression must be set/],
    ['a glob', { matchImageReferences: [{ glob: 'a{b' }] }, /matchImageReferences\[0\]\.glob: .*a brace is not closed/],
    ['a provider', { credentials: { providers: ['ibm'] } }, /credentials\.providers\[0\]: Unsupported value: "ibm"/],
    ['an attestor without a name', { attestors: [{ cosign: {} }] }, /attestors\[0\]\.name: Required value/],
    ['two attestors of a name', { attestors: [{ name: 'a' }, { name: 'a' }] }, /expected names to be different/],
    ['two signers', attested({ key: { data: 'x' }, keyless: { identities: [] } }), /expected exactly one, got both/],
    ['no signer', attested({ ctlog: {} }), /expected exactly one, got neither/],
    ['a key that is none', attested({ key: { data: 'x' } }), /spec\.attestors\[0\]: Invalid value/],
    ['two keys', attested({ key: { data: 'x', kms: 'awskms:///x' } }), /expected exactly one, got both/],
    ['a key service', attested({ key: { kms: 'ftp://x' } }), /expected one of awskms/],
    ['a digest', attested({ key: { kms: 'awskms:///x', hashAlgorithm: 'md5' } }), /hashAlgorithm/],
    [
      'no issuer',
      attested({ keyless: { identities: [{ subject: 'a' }] } }),
      /missing field\(s\): .*issuer, .*issuerRegExp/,
    ],
    [
      'no subject',
      attested({ keyless: { identities: [{ issuer: 'a' }] } }),
      /missing field\(s\): .*subject, .*subjectRegExp/,
    ],
    ['nobody', attested({ keyless: { identities: [] } }), /identities: Required value/],
    [
      'two patterns',
      attested({ keyless: { identities: [{ issuer: 'a', subjectRegExp: 'b', subjectExpression: "'c'" }] } }),
      /only one of subjectRegExp and subjectExpression/,
    ],
    [
      'a pattern',
      attested({ keyless: { identities: [{ issuer: 'a', subjectRegExp: '(' }] } }),
      /subjectRegExp: Invalid value/,
    ],
    [
      'an extension',
      attested({ keyless: { identities: [{ issuer: 'a', subject: 'b' }], additionalExtensions: { x: 'y' } } }),
      /not an extension of a certificate/,
    ],
    [
      'roots that are none',
      attested({ keyless: { identities: [{ issuer: 'a', subject: 'b' }], roots: 'x' } }),
      /spec\.attestors\[0\]: .*PEM/,
    ],
    ['a certificate', attested({ certificate: {} }), /one of cert and certChain/],
    [
      'a trusted root',
      attested({ key: { kms: 'awskms:///x' }, trustedRoot: { value: '{}' } }),
      /spec\.attestors\[0\]: Invalid value/,
    ],
    [
      'a root from a file',
      attested({ key: { kms: 'awskms:///x' }, tuf: { root: { path: '/etc/root.json' } } }),
      /tuf\.root\.path: Forbidden/,
    ],
    [
      'a log',
      attested({ key: { kms: 'awskms:///x' }, ctlog: { rekorPubKey: 'x' } }),
      /spec\.attestors\[0\]: Invalid value/,
    ],
    ['an attestation of no kind', { attestations: [{ name: 'a' }] }, /expected exactly one, got neither/],
    ['a type that is none', { attestations: [{ name: 'a', intoto: { type: 'no type' } }] }, /not a type of predicate/],
    [
      'two attestations of a name',
      {
        attestations: [
          { name: 'a', referrer: { type: 'x' } },
          { name: 'a', referrer: { type: 'y' } },
        ],
      },
      /Duplicate value: "a"/,
    ],
    [
      'a scope',
      {
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['*'], scope: 'World' },
          ],
        },
      },
      /scope/,
    ],
    [
      'a rule without resources',
      { matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'] }] } },
      /resources: Required value/,
    ],
  ]
  for (const [name, spec, message] of REFUSED)
    test(name, async () => {
      await refused(spec, message)
    })

  test('every complaint is told at once', async () => {
    await refused(
      { validationActions: ['x'], failurePolicy: 'y' },
      /validationActions[^]*failurePolicy|failurePolicy[^]*validationActions/,
    )
  })

  test('of a kind that is not known', async () => {
    const document = policyDocument({ spec: {} })
    for (const change of [
      { kind: 'ValidatingPolicy' },
      { apiVersion: 'policies.kyverno.io/v2' },
      { apiVersion: 'kyverno.io/v1' },
    ])
      await assert.rejects(compileImageValidatingPolicy({ ...document, ...change }), { code: 'POLICY_KIND' })
    assert.ok(isPolicy(document))
  })
})

describe('what is made of a policy', () => {
  test('what a webhook needs to know', async () => {
    const { webhook, background, admission, rules } = await policyOf({
      spec: {
        failurePolicy: 'Ignore',
        webhookConfiguration: { timeoutSeconds: 20 },
        evaluation: { background: { enabled: false }, admission: { enabled: false } },
        matchConditions: [{ name: 'prod', expression: "object.metadata.labels.env == 'prod'" }],
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] },
          ],
          excludeResourceRules: [
            {
              apiGroups: ['apps'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['deployments'],
              resourceNames: ['x'],
            },
          ],
          namespaceSelector: { matchLabels: { a: 'b' } },
          objectSelector: { matchExpressions: [{ key: 'c', operator: 'Exists' }] },
          matchPolicy: 'Exact',
        },
      },
    })
    assert.deepEqual(
      { webhook, background, admission },
      {
        webhook: { failurePolicy: 'Ignore', timeoutSeconds: 20 },
        background: false,
        admission: false,
      },
    )
    const [rule] = rules
    assert.ok(rule?.kind === 'program')
    assert.deepEqual(rule.scope, {
      rules: [
        {
          apiGroups: ['apps'],
          apiVersions: ['v1'],
          operations: ['CREATE'],
          resources: ['deployments'],
          scope: '*',
          resourceNames: [],
        },
      ],
      excluded: [
        {
          apiGroups: ['apps'],
          apiVersions: ['v1'],
          operations: ['CREATE'],
          resources: ['deployments'],
          scope: '*',
          resourceNames: ['x'],
        },
      ],
      namespaceSelector: { matchLabels: { a: 'b' }, matchExpressions: [] },
      objectSelector: { matchLabels: {}, matchExpressions: [{ key: 'c', operator: 'Exists', values: [] }] },
      matchPolicy: 'Exact',
      matchConditions: [{ name: 'prod', expression: "object.metadata.labels.env == 'prod'" }],
    })
  })

  test('policies on controllers, from one on pods', async () => {
    const spec = {
      matchConditions: [
        {
          name: 'c',
          expression:
            "has(object.metadata.labels) && object.metadata.namespace == 'x' && object.metadata.namespaced == 'y'",
        },
      ],
      validations: [{ expression: 'object.spec.hostNetwork || oldObject.spec.x', message: 'see object.spec' }],
    }
    const programs = programsOf(await policyOf({ spec }))
    assert.deepEqual(
      programs.map(({ name, scope: { rules } }) => [name, rules.map(({ resources }) => resources)]),
      [
        ['', [['pods']]],
        ['autogen-cronjobs', [['cronjobs']]],
        ['autogen-defaults', [['daemonsets', 'deployments', 'replicasets', 'statefulsets'], ['jobs']]],
      ],
    )
    const [pods, cron, defaults] = programs
    assert.deepEqual(pods?.scope.matchConditions, [
      {
        name: 'autogen-c',
        expression: `!((object.apiVersion == 'v1' && object.kind =='Pod')) || (${spec.matchConditions[0]?.expression ?? ''})`,
      },
    ])
    assert.match(
      cron?.scope.matchConditions[0]?.expression ?? '',
      /object\.spec\.jobTemplate\.spec\.template\.metadata\.labels/,
    )
    assert.match(
      defaults?.scope.matchConditions[0]?.expression ?? '',
      /^!\(\(object\.apiVersion == 'apps\/v1' && object\.kind =='DaemonSet'\) \|\| /,
    )
    assert.match(
      defaults?.scope.matchConditions[0]?.expression ?? '',
      /object\.metadata\.namespace == 'x' && object\.spec\.template\.metadata\.namespaced/,
    )
    const explained = defaults?.explained.join('\n') ?? ''
    assert.match(explained, /object\.spec\.template\.spec\.hostNetwork \|\| oldObject\.spec\.template\.spec\.x/)
    assert.match(explained, /see object\.spec\.template\.spec/)
  })

  test('and none from any other', async () => {
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
    const others: readonly JsonObject[] = [
      { autogen: { podControllers: { controllers: [] } } },
      { matchConstraints: { resourceRules: [rule, rule] } },
      { matchConstraints: { resourceRules: [{ ...rule, resources: ['pods', 'services'] }] } },
      { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['x'] }] } },
      { matchConstraints: { resourceRules: [rule], objectSelector: { matchLabels: { a: 'b' } } } },
      { matchConstraints: { resourceRules: [rule], excludeResourceRules: [rule] } },
    ]
    for (const spec of others) assert.equal((await policyOf({ spec })).rules.length, 1)
    const some = await policyOf({ spec: { autogen: { podControllers: { controllers: ['deployments', 'nothing'] } } } })
    assert.deepEqual(
      programsOf(some).map(({ name }) => name),
      ['', 'autogen-defaults'],
    )
    assert.deepEqual(programsOf(some)[0]?.scope.matchConditions, [])
  })

  test('registry logins, actions and warnings', async () => {
    const { rules, warnings } = await policyOf({
      spec: {
        credentials: { allowInsecureRegistry: true, providers: ['google'], secrets: ['login'] },
        attestors: [
          { name: 'notary', notary: {} },
          { name: 'nobody' },
          { name: 'star', cosign: { keyless: { identities: [{ issuer: 'a', subject: 'b*' }] } } },
        ],
      },
    })
    const [rule] = rules
    assert.ok(rule?.kind === 'program')
    assert.deepEqual(rule.access, { allowInsecure: true, providers: ['google'], secrets: [{ name: 'login' }] })
    const namespaced = await policyOf({
      kind: 'NamespacedImageValidatingPolicy',
      namespace: 'team',
      spec: { credentials: { secrets: ['login'] } },
    })
    assert.deepEqual(
      namespaced.rules.map(({ access }) => access?.secrets),
      namespaced.rules.map(() => [{ namespace: 'team', name: 'login' }]),
    )
    assert.match(warnings.join('\n'), /the attestor notary is one of Notary/)
    assert.match(warnings.join('\n'), /the attestor nobody says of nobody/)
    assert.match(warnings.join('\n'), /\* stands for nothing else/)
  })

  test('a namespace, only of the kind that has one', async () => {
    const namespaced = await policyOf({ kind: 'NamespacedImageValidatingPolicy', namespace: 'a', spec: {} })
    assert.equal(namespaced.namespace, 'a')
    assert.equal((await policyOf({ kind: 'NamespacedImageValidatingPolicy', spec: {} })).namespace, 'default')
    assert.equal((await policyOf({ namespace: 'a', spec: {} })).namespace, undefined)
  })

  test('lines that explain it', async () => {
    const lines = explainPolicy(
      await policyOf({
        spec: {
          autogen: { podControllers: { controllers: [] } },
          attestors: [{ name: 'n', notary: {} }],
          attestations: [{ name: 's', intoto: { type: 'spdxjson' } }],
          matchConditions: [{ name: 'c', expression: 'true' }],
          validations: [{ expression: 'true', message: 'no' }],
        },
      }),
    )
    assert.deepEqual(lines, [
      'ImageValidatingPolicy test',
      '  about: CREATE, UPDATE of pods where c: true',
      '  images: ghcr.io/acme/*',
      '  attestor n: of Notary, not verified here',
      '  attestation s: https://spdx.dev/Document',
      '  must hold (no):',
      '    true',
      '  every one of the images must have been verified by some policy',
      '  otherwise: refused',
      '  digests: written into the resource, must be there',
      '  warning: the attestor n is one of Notary, whose signatures are not verified here: nothing counts for it',
    ])
  })

  test('its content, which another has not', async () => {
    const hashes = await Promise.all([
      policyOf({ spec: {} }),
      policyOf({ spec: validated('!false') }),
      policyOf({ name: 'b', spec: {} }),
    ])
    assert.equal(new Set(hashes.map(({ contentHash }) => contentHash)).size, 3)
  })
})

test('what stands in for a policy that is broken refuses what it was about', async () => {
  const document = policyDocument({ spec: { ...validated('1'), validationActions: ['Warn', 'Audit'] } })
  const options = { failOnEmptyAuthorities: true, ports: {} as never }
  await assert.rejects(compilePolicy(document, options), { code: 'POLICY_FIELD' })
  const { rules } = standInFor(document, new Error('x'))
  assert.deepEqual(
    rules[0]?.images.include.map((each) => each.kind === 'expression' && each.source),
    ['ghcr.io/acme/*'],
  )
  assert.equal(guardedByImageValidatingPolicy(document)?.action, 'warn')
  assert.equal(
    guardedByImageValidatingPolicy(policyDocument({ spec: { matchImageReferences: [{ glob: '{' }] } })),
    undefined,
  )
  assert.equal(
    guardedByImageValidatingPolicy(policyDocument({ spec: { matchImageReferences: [{ expression: 'x' }] } })),
    undefined,
  )
  assert.equal(guardedByImageValidatingPolicy({ spec: 1 }), undefined)
})

test('any document is either compiled or refused with a code', async () => {
  const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.constantFrom<JsonValue[]>(null, true, 0, '', 'a', 'true', 'Deny', '1 +', "'x'", '*', '{', 'https://a'),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          ...[
            'name',
            'expression',
            'value',
            'cosign',
            'key',
            'data',
            'keyless',
            'identities',
            'issuer',
            'subject',
            'notary',
            'glob',
            'type',
          ],
          ...[
            'intoto',
            'ctlog',
            'tuf',
            'root',
            'source',
            'certificate',
            'cert',
            'annotations',
            'resourceRules',
            'resources',
            'key',
          ],
        ),
        tie('json'),
        { maxKeys: 4 },
      ),
    ),
  }))
  const fields = [
    'attestors',
    'attestations',
    'validations',
    'variables',
    'matchConditions',
    'images',
    'credentials',
    'evaluation',
    'autogen',
    'matchConstraints',
    'auditAnnotations',
    'validationActions',
    'matchImageReferences',
  ]
  const spec = fc.dictionary(fc.constantFrom(...fields), json, { maxKeys: 4 })
  await fc.assert(
    fc.asyncProperty(spec, async (given) => {
      try {
        await policyOf({ spec: { matchConstraints: PODS, ...given } })
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
