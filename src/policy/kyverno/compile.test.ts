/** Kyverno's policies as they are loaded: what is taken, and what is refused with its path. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonObject, JsonValue } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { compileText, ruleOf, type RuleText } from '#testing/policy/kyverno'
import { explainPolicy } from '../engine/explain-policy.js'
import { compileKyvernoPolicy } from './compile.js'

const KEY = `-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8nXRh950IZbRj8Ra/N9sbqOPZrfM\\n5/KAQN0/KjHcorm/J5yctVd7iEcnessRQjU917hmKO6JWVGHpDguIyakZA==\\n-----END PUBLIC KEY-----`
const KEYS = `keys: {publicKeys: "${KEY}"}`
const REFS = "imageReferences: ['ghcr.io/*']"
const signed = (entry: string): string => `${REFS}, attestors: [{entries: [{${entry}}]}]`
const ONE = signed(KEYS)
const AT = 'spec.rules[0].verifyImages[0]'

async function refused(entry: string, why: string | RegExp, text: RuleText = {}): Promise<void> {
  await assert.rejects(ruleOf(entry, text), (error: unknown) => {
    assert.ok(isCodedError(error), String(error))
    assert.ok(['POLICY_FIELD', 'POLICY_UNSUPPORTED'].includes(error.code), error.code)
    if (typeof why === 'string') assert.ok(error.message.includes(why), `${error.message}\nlacks: ${why}`)
    else assert.match(error.message, why)
    return true
  })
}

describe('refused', () => {
  for (const [name, entry, why] of [
    ['a misspelt field', `${ONE}, imageReference: [x]`, `unknown field "${AT}.imageReference"`],
    [
      'a misspelt field of a key',
      signed(`keys: {publickeys: x}`),
      `unknown field "${AT}.attestors[0].entries[0].keys.publickeys"`,
    ],
    ['no images', `attestors: [{entries: [{${KEYS}}]}]`, 'An image reference is required'],
    ['variables in images', `imageReferences: ['{{ x }}']`, 'variables are not allowed in image references'],
    [
      'an unknown type',
      `${ONE}, type: Cosine`,
      `${AT}.type: Unsupported value: "Cosine": supported values: "Cosign", "SigstoreBundle", "Notary"`,
    ],
    ['an unknown action', `${ONE}, failureAction: Warn`, `${AT}.failureAction: Unsupported value: "Warn"`],
    [
      'two signers of one entry',
      signed(`${KEYS}, keyless: {issuer: a, subject: b}`),
      'keys, certificates, keyless, or a nested attestor is required',
    ],
    [
      'no signer of an entry',
      signed('annotations: {a: b}'),
      'keys, certificates, keyless, or a nested attestor is required',
    ],
    ['a signer beside a set', signed(`${KEYS}, attestor: {entries: [{${KEYS}}]}`), 'a nested attestor stands alone'],
    ['no entries', `${REFS}, attestors: [{entries: []}]`, 'An entry is required'],
    [
      'a count above the entries',
      `${REFS}, attestors: [{count: 2, entries: [{${KEYS}}]}]`,
      'Count cannot exceed length of entries',
    ],
    [
      'a count below zero',
      `${REFS}, attestors: [{count: -1, entries: [{${KEYS}}]}]`,
      'should be greater than or equal to 1',
    ],
    ['a count that is a text', `${REFS}, attestors: [{count: all, entries: [{${KEYS}}]}]`, 'expected a whole number'],
    ['no key', signed('keys: {rekor: {ignoreTlog: true}}'), 'A public key, kms key or secret is required'],
    ['two keys of one entry', signed(`keys: {publicKeys: "${KEY}", kms: 'gcpkms://x'}`), 'publicKeys, kms are given'],
    [
      'a key that is none',
      signed('keys: {publicKeys: abc}'),
      `${AT}.attestors[0].entries[0].keys.publicKeys: Invalid value: "abc"`,
    ],
    ['a key service that is none', signed("keys: {kms: 'ftp://x'}"), 'awskms://'],
    ['a secret without a namespace', signed('keys: {secret: {name: a}}'), 'secret.namespace: Required value'],
    [
      'an algorithm that is none',
      signed(`keys: {publicKeys: "${KEY}", signatureAlgorithm: md5}`),
      'Invalid signature algorithm provided',
    ],
    [
      'two algorithms',
      signed(`keys: {publicKeys: "${KEY}", signatureAlgorithm: sha384}, signatureAlgorithm: sha512`),
      'another than that of the entry',
    ],
    ['no certificate', signed('certificates: {rekor: {ignoreTlog: true}}'), 'cert or certChain required'],
    ['a certificate that is none', signed('certificates: {cert: abc}'), 'certificates.cert: Invalid value'],
    ['a key for a certificate', signed(`certificates: {cert: "${KEY}"}`), 'expected CERTIFICATE, found PUBLIC KEY'],
    [
      'a pattern that is none',
      signed("keyless: {issuer: a, subjectRegExp: '('}"),
      'keyless.subjectRegExp: Invalid value',
    ],
    ['a pattern that looks around', signed("keyless: {issuer: a, subjectRegExp: '(?=a)'}"), 'subjectRegExp'],
    [
      'an extension that is none',
      signed('keyless: {issuer: a, subject: b, additionalExtensions: {color: red}}'),
      'invalid certificate extension color',
    ],
    [
      'an extension twice',
      signed(
        'keyless: {issuer: a, subject: b, additionalExtensions: {githubWorkflowSha: a, 1.3.6.1.4.1.57264.1.3: b}}',
      ),
      'one extension under two names',
    ],
    ['roots that are none', signed('keyless: {issuer: a, subject: b, roots: abc}'), 'keyless.roots: Invalid value'],
    [
      'a log key that is none',
      signed(`keys: {publicKeys: "${KEY}", rekor: {pubkey: abc}}`),
      'rekor.pubkey: Invalid value',
    ],
    ['a repository that is none', signed(`${KEYS}, repository: 'A B'`), 'repository: Invalid value'],
    [
      'digests written in under Audit',
      `${ONE}, mutateDigest: true, failureAction: Audit`,
      'mutateDigest must be set to false for ‘Audit’ failure action',
    ],
    [
      'two types of one attestation',
      `${REFS}, attestations: [{type: a, predicateType: b}]`,
      'type and predicateType name two types',
    ],
    [
      'an operator that is none',
      `${REFS}, attestations: [{type: a, conditions: [{all: [{key: a, operator: Like, value: b}]}]}]`,
      'there is no such operator',
    ],
    [
      'a function that is none',
      `${REFS}, attestations: [{type: a, conditions: [{all: [{key: "{{ rand(a) }}", operator: Equals, value: b}]}]}]`,
      'the function rand is not supported',
    ],
    ['an expression that is none', signed(`keys: {publicKeys: '{{ a..b }}'}`), 'not a JMESPath expression'],
    ['a variable that does not end', signed(`keys: {publicKeys: '{{ a'}`), 'a variable does not end'],
    ['a key and an issuer', `image: '*', key: "${KEY}", issuer: x`, 'a signature is by one or the other'],
    [
      'a provider that is none',
      `${ONE}, imageRegistryCredentials: {providers: [oracle]}`,
      'default, google, azure, amazon, github',
    ],
    [
      'a secret that is none',
      `${ONE}, imageRegistryCredentials: {secrets: [a/b/c]}`,
      'expected name or namespace/name',
    ],
  ] as const) {
    test(name, async () => {
      await refused(entry, why)
    })
  }

  for (const [name, text, why] of [
    ['no match', { match: '' }, 'spec.rules[0].match: Invalid value'],
    ['no kinds', { match: 'any: [{resources: {names: [a]}}]' }, 'the kind attribute is mandatory'],
    ['every kind', { match: "any: [{resources: {kinds: ['*']}}]" }, 'wildcard policy does not support rule type'],
    [
      'any and all',
      { match: 'any: [{resources: {kinds: [Pod]}}], all: [{resources: {kinds: [Pod]}}]' },
      "Can't specify any and all together",
    ],
    [
      'name and names',
      { match: 'any: [{resources: {kinds: [Pod], name: a, names: [b]}}]' },
      'Both name and names can not be specified together',
    ],
    [
      'an empty selector',
      { match: 'any: [{resources: {kinds: [Pod], selector: {}}}]' },
      'The requirements are not specified in selector',
    ],
    [
      'a misspelt criterion',
      { match: 'any: [{resources: {kinds: [Pod], namespace: a}}]' },
      'unknown field "spec.rules[0].match.any[0].resources.namespace"',
    ],
    [
      'a subject of no kind',
      { match: 'any: [{resources: {kinds: [Pod]}, subjects: [{kind: Robot, name: a}]}]' },
      "kind must be 'User', 'Group', or 'ServiceAccount'",
    ],
    [
      'an account without a namespace',
      { match: 'any: [{resources: {kinds: [Pod]}, subjects: [{kind: ServiceAccount, name: a}]}]' },
      'namespace is required when Kind is ServiceAccount',
    ],
    [
      'a role without a namespace',
      { match: 'any: [{resources: {kinds: [Pod]}, roles: [a]}]' },
      'Role is expected to be in namespace:name format',
    ],
    [
      'an operation that is none',
      { match: 'any: [{resources: {kinds: [Pod], operations: [PATCH]}}]' },
      'expected some of CREATE, UPDATE, DELETE, CONNECT',
    ],
    [
      'a context entry of two kinds',
      { more: 'context: [{name: a, variable: {value: 1}, configMap: {name: b}}]' },
      'exactly one of configMap or apiCall',
    ],
    [
      'a context entry that hides the request',
      { more: 'context: [{name: request, variable: {value: 1}}]' },
      'conflicts with a pre-defined variable request',
    ],
    [
      'a variable of nothing',
      { more: 'context: [{name: a, variable: {default: 1}}]' },
      'a variable must define a value or a jmesPath expression',
    ],
    [
      'a call of a service and a path',
      { more: 'context: [{name: a, apiCall: {urlPath: /api, service: {url: x}}}]' },
      'a URLPath cannot be used for service API calls',
    ],
    [
      'a precondition that is none',
      { more: 'preconditions: {any: [{key: a}]}' },
      'spec.rules[0].preconditions: Invalid value',
    ],
    ['preconditions in CEL', { more: 'celPreconditions: [{name: a, expression: b}]' }, 'validate.cel'],
    ['an extractor without a path', { more: 'imageExtractors: {Task: [{value: image}]}' }, 'path: Required value'],
    [
      'an extractor that ends in a star',
      { more: "imageExtractors: {Task: [{path: '/a/*'}]}" },
      'the path ends with its name',
    ],
    [
      'an extractor with an expression that is none',
      { more: "imageExtractors: {Task: [{path: /a/b, jmesPath: 'a..b'}]}" },
      'not a JMESPath expression',
    ],
    ['two operations', { more: 'validate: {message: a}' }, "Multiple operations defined in the rule 'r'"],
    [
      'a time-out of a minute',
      { spec: 'webhookTimeoutSeconds: 60' },
      'the timeout value must be between 1 and 30 seconds',
    ],
    [
      'two time-outs',
      { spec: 'webhookTimeoutSeconds: 5, webhookConfiguration: {timeoutSeconds: 5}' },
      'remove the deprecated field and use spec.webhookConfiguration.timeoutSeconds instead',
    ],
    [
      'two failure policies',
      { spec: 'failurePolicy: Fail, webhookConfiguration: {failurePolicy: Fail}' },
      'remove the deprecated field',
    ],
    ['a failure policy that is none', { spec: 'failurePolicy: Open' }, 'spec.failurePolicy: Unsupported value: "Open"'],
    [
      'not at admission',
      { spec: 'admission: false' },
      'disabling admission processing is only allowed with validation policies',
    ],
    [
      'an override without an action',
      { spec: 'validationFailureActionOverrides: [{namespaces: [a]}]' },
      'invalid action',
    ],
    [
      'a misspelt setting',
      { spec: 'validationFailureActions: Enforce' },
      'unknown field "spec.validationFailureActions"',
    ],
    [
      'a ClusterPolicy of a namespace',
      { metadata: 'name: p, namespace: a' },
      'A clusterpolicy should not have the namespace defined',
    ],
    ['no name', { metadata: 'labels: {}' }, 'missing field(s): metadata.name'],
  ] as const) {
    test(name, async () => {
      await refused(ONE, why, text)
    })
  }

  test('what only a ClusterPolicy may say', async () => {
    const policy = { kind: 'Policy', metadata: 'name: p, namespace: n' } as const
    await refused(ONE, 'Filtering namespaces not allowed', {
      ...policy,
      match: 'any: [{resources: {kinds: [Pod], namespaces: [a]}}]',
    })
    await refused(ONE, 'supported only with ClusterPolicy', {
      ...policy,
      spec: 'validationFailureActionOverrides: [{action: Audit}]',
    })
    await refused(`${ONE}, imageRegistryCredentials: {secrets: [other/a]}`, 'secrets of its own namespace', policy)
    for (const key of ['publicKeys: k8s://other/a', 'secret: {name: a, namespace: other}'])
      await refused(
        `imageReferences: ['*'], attestors: [{entries: [{keys: {${key}}}]}]`,
        'secrets of its own namespace',
        policy,
      )
  })

  test('digests written in where images are changed as they are read', async () => {
    const more = `imageExtractors: {Task: [{path: /a/b, jmesPath: "to_lower(@)"}]}`
    const text = { match: 'any: [{resources: {kinds: [Task]}}]', more }
    await refused(
      `${ONE}, mutateDigest: true`,
      'jmespath may not be used in an image extractor when mutating digests',
      text,
    )
    const { rules, warnings } = await ruleOf(ONE, text)
    assert.equal(rules[0]?.digests.mutate, false)
    assert.match(warnings.join(), /mutateDigest is taken to be false/)
  })

  test('rules of one name', async () => {
    const rule = `{name: a, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{${ONE}}]}`
    await assert.rejects(
      compileText(
        `{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {rules: [${rule}, ${rule}]}}`,
      ),
      { code: 'POLICY_FIELD', message: /spec\.rules\[1\]\.name: Invalid value: "a": Duplicate rule name: 'a'/ },
    )
  })

  test('every complaint is told, up to a limit', async () => {
    const mistakes = Array.from({ length: 200 }, (_, index) => `x${String(index)}: 1`).join(', ')
    await assert.rejects(ruleOf(`${mistakes}, type: a`), (error: unknown) => {
      assert.ok(isCodedError(error))
      assert.ok(error.message.length < 10_000)
      assert.match(error.message, /x0.*\n.*x1/)
      return true
    })
  })

  for (const [kind, apiVersion] of [
    ['ClusterPolicy', 'kyverno.io/v3'],
    ['ClusterPolicy', 'kyverno.io/v1beta1'],
    ['CleanupPolicy', 'kyverno.io/v2'],
  ]) {
    test(`${kind!} of ${apiVersion!}`, async () => {
      await assert.rejects(compileText(`{apiVersion: ${apiVersion!}, kind: ${kind!}, metadata: {name: p}, spec: {}}`), {
        code: 'POLICY_KIND',
      })
    })
  }
})

describe('hostile', () => {
  test('thousands of attestors', async () => {
    const entries = (count: number): string => Array.from({ length: count }, () => `{${KEYS}}`).join(', ')
    await refused(`${REFS}, attestors: [{entries: [${entries(3000)}]}]`, 'Too many: more than 500 attestors')
    await refused(signed(`keys: {publicKeys: "${`${KEY}\\n`.repeat(300)}"}`), 'there are too many keys')
    const sets = Array.from({ length: 600 }, () => `{entries: [{${KEYS}}]}`).join(', ')
    await refused(`${REFS}, attestors: [${sets}]`, 'Too many')
  })

  test('sets within sets within sets', async () => {
    let entry = KEYS
    for (let depth = 0; depth < 12; depth++) entry = `attestor: {entries: [{${entry}}]}`
    await refused(signed(entry), 'nested too deeply')
  })

  test('long lists, long texts, deep expressions', async () => {
    await refused(`imageReferences: [${"'a', ".repeat(2000)}]`, 'expected at most 1000')
    await refused(`imageReferences: ['${'*a'.repeat(5000)}']`, 'Invalid value')
    await refused(signed(`keyless: {issuer: a, subjectRegExp: '${'(a|b)*'.repeat(2000)}'}`), 'subjectRegExp')
    await refused(signed(`keys: {publicKeys: '{{ ${'['.repeat(3000)} }}'}`), /keys|expression|verifyImages/)
    await refused(ONE, 'expected at most 100 entries', {
      more: `context: [${Array.from({ length: 101 }, (_, index) => `{name: v${String(index)}, variable: {value: 1}}`).join(', ')}]`,
    })
  })

  test('names of prototypes are names', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      await refused(`${ONE}, ${name}: 1`, `unknown field "${AT}.${name}"`)
      await ruleOf(ONE, { more: `context: [{name: ${name}, variable: {value: 1}}]` })
      await refused(signed(`keyless: {issuer: a, subject: b, additionalExtensions: {${name}: c}}`), `extension ${name}`)
    }
  })

  const json = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.constantFrom<JsonValue>(
        null,
        true,
        0,
        -1,
        1.5,
        '',
        '*',
        '{{ a }}',
        '{{',
        '$(a)',
        'Pod',
        'Enforce',
        'Audit',
        KEY,
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          ...[
            'rules',
            'name',
            'match',
            'any',
            'resources',
            'kinds',
            'verifyImages',
            'imageReferences',
            'attestors',
            'entries',
          ],
          ...[
            'keys',
            'publicKeys',
            'keyless',
            'issuer',
            'subject',
            'attestations',
            'type',
            'conditions',
            'all',
            'key',
            'operator',
          ],
          ...[
            'value',
            'context',
            'variable',
            'configMap',
            'preconditions',
            'image',
            'count',
            'imageExtractors',
            'validate',
            'deny',
          ],
        ),
        tie('value'),
        { maxKeys: 6 },
      ),
    ),
  })).value

  test('any specification gives a policy or a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(json, json, async (spec, entry) => {
        const rule = { name: 'r', match: { any: [{ resources: { kinds: ['Pod'] } }] }, verifyImages: [entry] }
        for (const rules of [spec, { rules: [rule] }, { rules: [spec, entry] }]) {
          const document: JsonObject = {
            apiVersion: 'kyverno.io/v1',
            kind: 'ClusterPolicy',
            metadata: { name: 'p' },
            spec: rules,
          }
          try {
            explainPolicy(await compileKyvernoPolicy(document, { ports: { clock: () => 0 } }))
          } catch (error) {
            if (!isCodedError(error)) throw error
          }
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })
})

describe('taken', () => {
  test('rules of other kinds, with a word about them', async () => {
    const policy = await compileText(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  rules:
    - {name: labels, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {message: m, pattern: {metadata: {labels: {a: b}}}}}
    - {name: signed, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: [{${ONE}, mutateDigest: false}]}
    - {name: default, match: {any: [{resources: {kinds: [Pod]}}]}, mutate: {patchStrategicMerge: {metadata: {labels: {a: b}}}}}`)
    assert.deepEqual(
      policy.rules.map(({ name }) => name),
      ['signed', 'autogen-signed', 'autogen-cronjob-signed'],
    )
    assert.match(policy.warnings.join('\n'), /rule labels \(validate\) is not enforced here/)
    assert.match(policy.warnings.join('\n'), /rule default \(mutate\) is not enforced here/)
  })

  test('what the webhook needs is carried along', async () => {
    const policy = await ruleOf(ONE, {
      spec: 'validationFailureAction: Enforce, webhookConfiguration: {failurePolicy: Ignore, timeoutSeconds: 15}, background: false',
    })
    assert.deepEqual(policy.webhook, { failurePolicy: 'Ignore', timeoutSeconds: 15 })
    assert.equal(policy.background, false)
    assert.deepEqual((await ruleOf(ONE)).webhook, { failurePolicy: 'Fail' })
  })

  test('registry logins are carried along', async () => {
    const { rules } = await ruleOf(
      `${ONE}, imageRegistryCredentials: {allowInsecureRegistry: true, providers: [github], secrets: [a, b/c]}`,
    )
    assert.deepEqual(rules[0]?.kind === 'images' ? rules[0].access : undefined, {
      allowInsecure: true,
      providers: ['github'],
      secrets: [{ name: 'a' }, { namespace: 'b', name: 'c' }],
    })
    const own = await ruleOf(`${ONE}, imageRegistryCredentials: {secrets: [a, b/c]}`, {
      kind: 'Policy',
      metadata: 'name: p, namespace: b',
    })
    assert.deepEqual(own.rules[0]?.kind === 'images' ? own.rules[0].access?.secrets : undefined, [
      { namespace: 'b', name: 'a' },
      { namespace: 'b', name: 'c' },
    ])
  })

  test('deprecated values, with a word about them', async () => {
    const { warnings } = await ruleOf(
      `${REFS}, attestations: [{predicateType: x, attestors: [{entries: [{${KEYS}}]}]}]`,
      {
        spec: 'validationFailureAction: enforce',
      },
    )
    assert.match(warnings.join('\n'), /use Enforce\/Audit instead/)
    assert.match(warnings.join('\n'), /predicateType has been deprecated use 'type: x' instead of 'predicateType: x'/)
  })

  test('fields without meaning here', async () => {
    await ruleOf(`${ONE}, useCache: false, cosignOCI11: true`, {
      spec: 'schemaValidation: true, useServerSideApply: false, generateExisting: true',
      more: 'skipBackgroundRequests: true, reportProperties: {a: b}',
    })
  })

  test('the content hash is of what decides', async () => {
    const hash = async (text: RuleText, entry = ONE): Promise<string> => (await ruleOf(entry, text)).contentHash
    const base = await hash({})
    assert.equal(await hash({ metadata: 'name: p, labels: {a: b}' }), base)
    for (const other of [
      await hash({}, `${ONE}, required: false`),
      await hash({ metadata: 'name: q' }),
      await hash({ metadata: 'name: p, annotations: {pod-policies.kyverno.io/autogen-controllers: none}' }),
      await hash({ kind: 'Policy' }),
    ])
      assert.notEqual(other, base)
  })

  test('explained in words', async () => {
    const text = async (entry: string, more: RuleText = {}): Promise<string> =>
      explainPolicy(await ruleOf(entry, more)).join('\n')
    const simple = await text(signed("keyless: {issuer: 'https://i', subject: 'a@*'}"))
    assert.match(simple, /^ClusterPolicy p\n {2}rule r\n {4}about: Pod\n {4}images: ghcr\.io\/\*/)
    assert.match(simple, /\.attestors\[0\]\.entries\[0\]\.keyless: by like a@\* by https:\/\/i/)
    assert.match(simple, /transparency log: required; timestamp: accepted; certificate log: required/)
    assert.match(simple, /otherwise: refused; refused, too, if no answer can be had/)
    assert.match(simple, /rule autogen-r\n {4}about: apps\/v1\/DaemonSet or apps\/v1\/Deployment/)
    const open = await text(signed("keys: {publicKeys: '{{ keys.data.org }}'}"), {
      more: "context: [{name: keys, configMap: {name: keys, namespace: n}}], preconditions: {all: [{key: '{{ request.operation }}', operator: Equals, value: CREATE}]}",
    })
    assert.match(open, /only if \(conditions\):/)
    assert.match(open, /keys: the ConfigMap n\/keys/)
    assert.match(open, /attestors\[0\]\.entries\[0\]\.keys\.publicKeys: \{\{ keys\.data\.org \}\}/)
  })
})
