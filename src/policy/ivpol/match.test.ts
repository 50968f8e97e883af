/** Which resources and images a policy is about, and from which it is excused. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { openPolicyBench, type PolicyBench } from '#testing/policy/bench'
import { judged, policyOf } from '#testing/policy/ivpol'
import type { Judging, PolicyText } from '#testing/policy/ivpol'
import { podOf, reviewOf } from '#testing/policy/reviews'
import { compileException } from '../front-ends.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import type { Review } from '../internal/review.js'
import { reviewOfPayload } from '../internal/review-of-resource.js'
import { compileGlob } from './glob.js'

let bench: PolicyBench
const IMAGE = 'ghcr.io/acme/app:v1'

before(async () => {
  bench = await openPolicyBench()
  bench.pushImage(IMAGE)
  bench.pushImage('ghcr.io/acme/tool:v1')
})

/** A policy that refuses whatever it is about. */
const REFUSING: JsonObject = {
  validations: [{ expression: 'false', message: 'no' }],
  autogen: { podControllers: { controllers: [] } },
}

async function outcome(
  review: Review,
  spec: JsonObject,
  more: Partial<Judging> & Partial<PolicyText> = {},
): Promise<string> {
  const policy = await policyOf({ ...more, spec: { ...REFUSING, ...spec } })
  const { message, rules } = await judged([policy], review, { ports: bench.ports(), ...more })
  return rules.length === 0 ? 'not about it' : message.replace('Policy test ', '')
}

const rule = (more: JsonObject = {}): JsonObject => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['pods'],
  ...more,
})
const constraints = (more: JsonObject): JsonObject => ({ matchConstraints: { resourceRules: [rule()], ...more } })
const rules = (...resourceRules: readonly JsonObject[]): JsonObject => constraints({ resourceRules })
const labelled = (labels: JsonObject, more: Partial<Review> = {}): Review =>
  reviewOf(
    'Pod',
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels },
      spec: { containers: [{ name: 'a', image: IMAGE }] },
    },
    more,
  )

const [ABOUT, NOT] = ['failed: no', 'not about it']

describe('resources', () => {
  const pod = podOf(IMAGE)
  const ephemeral = { ...pod, resource: { ...pod.resource, subresource: 'ephemeralcontainers' } }
  const CASES: readonly (readonly [name: string, review: Review, spec: JsonObject, expected: string])[] = [
    ['as they are named', pod, rules(rule()), ABOUT],
    ['of another kind', pod, rules(rule({ resources: ['deployments'] })), NOT],
    ['all', pod, rules(rule({ resources: ['*'] })), ABOUT],
    ['all and everything below', ephemeral, rules(rule({ resources: ['*/*'] })), ABOUT],
    ['but not what is below them', ephemeral, rules(rule()), NOT],
    ['not even with a star', ephemeral, rules(rule({ resources: ['*'] })), NOT],
    ['unless it is named', ephemeral, rules(rule({ resources: ['pods/ephemeralcontainers'] })), ABOUT],
    ['or all of it is', ephemeral, rules(rule({ resources: ['pods/*'] })), ABOUT],
    ['and then nothing else', pod, rules(rule({ resources: ['pods/ephemeralcontainers'] })), NOT],
    ['of another group', pod, rules(rule({ apiGroups: ['apps'] })), NOT],
    ['of any group', pod, rules(rule({ apiGroups: ['*'] })), ABOUT],
    ['of another version, which an API server converts', pod, rules(rule({ apiVersions: ['v2'] })), ABOUT],
    [
      'of another version, exactly',
      pod,
      constraints({ resourceRules: [rule({ apiVersions: ['v2'] })], matchPolicy: 'Exact' }),
      NOT,
    ],
    ['on another operation', pod, rules(rule({ operations: ['UPDATE'] })), NOT],
    ['on any operation', pod, rules(rule({ operations: ['*'] })), ABOUT],
    ['by name', pod, rules(rule({ resourceNames: ['test'] })), ABOUT],
    ['by another name', pod, rules(rule({ resourceNames: ['other'] })), NOT],
    ['in namespaces', pod, rules(rule({ scope: 'Namespaced' })), ABOUT],
    ['in no namespace', pod, rules(rule({ scope: 'Cluster' })), NOT],
    ['by the second rule', pod, rules(rule({ resources: ['x'] }), rule()), ABOUT],
    ['excluded', pod, constraints({ excludeResourceRules: [rule({ resourceNames: ['test'] })] }), NOT],
    ['not excluded', pod, constraints({ excludeResourceRules: [rule({ resourceNames: ['other'] })] }), ABOUT],
    ['by label', labelled({ a: 'b' }), constraints({ objectSelector: { matchLabels: { a: 'b' } } }), ABOUT],
    ['by another label', labelled({ a: 'c' }), constraints({ objectSelector: { matchLabels: { a: 'b' } } }), NOT],
    [
      'by a label that they had',
      labelled({}, { oldObject: { metadata: { labels: { a: 'b' } } } }),
      constraints({ objectSelector: { matchLabels: { a: 'b' } } }),
      ABOUT,
    ],
    ['by an empty selector', pod, constraints({ objectSelector: {}, namespaceSelector: {} }), ABOUT],
    [
      'by the name of their namespace',
      pod,
      constraints({
        namespaceSelector: {
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['default'] }],
        },
      }),
      ABOUT,
    ],
    [
      'by a label of their namespace',
      { ...pod, namespaceObject: { metadata: { name: 'default', labels: { env: 'prod' } } } },
      constraints({ namespaceSelector: { matchLabels: { env: 'prod' } } }),
      ABOUT,
    ],
    [
      'by another label of their namespace',
      { ...pod, namespaceObject: { metadata: { name: 'default', labels: { env: 'dev' } } } },
      constraints({ namespaceSelector: { matchLabels: { env: 'prod' } } }),
      NOT,
    ],
  ]
  for (const [name, review, spec, expected] of CASES)
    test(name, async () => {
      assert.equal(await outcome(review, spec), expected)
    })

  test('by a namespace that is asked for, and one that nobody knows', async () => {
    const spec = constraints({ namespaceSelector: { matchLabels: { env: 'prod' } } })
    const namespace = (env: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'default', labels: { env } },
    })
    const withNamespace = async (...documents: readonly JsonObject[]): Promise<string> =>
      await outcome(pod, spec, { ports: bench.ports({ cluster: clusterOfDocuments(documents) }) })
    assert.equal(await withNamespace(namespace('prod')), ABOUT)
    assert.equal(await withNamespace(namespace('dev')), NOT)
    assert.match(await withNamespace(), /^error: failed to evaluate policy: there is no namespaces/)
  })

  test('of a namespaced policy, those of its namespace', async () => {
    const text = { kind: 'NamespacedImageValidatingPolicy', namespace: 'team' }
    assert.equal(await outcome({ ...pod, namespace: 'team' }, {}, text), ABOUT)
    assert.equal(await outcome(pod, {}, text), NOT)
  })

  test('of a policy that does not take part in admission, none', async () => {
    assert.equal(await outcome(pod, { evaluation: { admission: { enabled: false } } }), NOT)
  })
})

describe('conditions', () => {
  const conditions = (failurePolicy: string, ...expressions: readonly string[]): JsonObject => ({
    failurePolicy,
    matchConditions: expressions.map((expression, index) => ({ name: `c${String(index)}`, expression })),
  })
  const CASES: readonly (readonly [spec: JsonObject, expected: string | RegExp])[] = [
    [conditions('Fail', "object.metadata.name == 'test'"), ABOUT],
    [conditions('Fail', "object.metadata.name == 'other'"), NOT],
    [conditions('Fail', 'true', 'false'), NOT],
    [conditions('Fail', 'object.nothing', 'false'), NOT],
    [conditions('Fail', 'object.nothing', 'true'), /^error: failed to evaluate policy: no such key: nothing/],
    [conditions('Ignore', 'object.nothing', 'true'), NOT],
    [conditions('Fail', "request.operation == 'CREATE' && request.namespace == 'default'"), ABOUT],
    [conditions('Fail', "request.resource.resource == 'pods' && request.kind.kind == 'Pod'"), ABOUT],
    [conditions('Fail', 'oldObject == null'), ABOUT],
    [conditions('Fail', "request.userInfo.username == 'ann'"), ABOUT],
    [conditions('Fail', "user.parseServiceAccount('system:serviceaccount:a:b').Name == 'b'"), ABOUT],
    [conditions('Fail', 'dyn(1)'), /came to int/],
    [conditions('Fail', "verifyImageSignatures('x', []) == 0"), /images are asked about only once the policy applies/],
  ]
  for (const [spec, expected] of CASES)
    test(JSON.stringify(spec['matchConditions']), async () => {
      const user = { username: 'ann', groups: [], roles: [], clusterRoles: [] }
      const found = await outcome({ ...podOf(IMAGE), user }, spec)
      if (typeof expected === 'string') assert.equal(found, expected)
      else assert.match(found, expected)
    })
})

describe('images', () => {
  test('globs', () => {
    const CASES: readonly (readonly [glob: string, matching: readonly string[], others: readonly string[]])[] = [
      ['*', ['', 'a', 'a/b:c@d'], []],
      ['ghcr.io/*', ['ghcr.io/a', 'ghcr.io/a/b:c'], ['ghcr.io', 'xghcr.io/a', 'ghcrxio/a']],
      ['ghcr.io/**:v?', ['ghcr.io/a/b:v1'], ['ghcr.io/a:v10']],
      ['[ab]c', ['ac', 'bc'], ['cc', 'abc']],
      ['[!ab]c', ['cc'], ['ac']],
      ['[a-c]x', ['bx'], ['dx']],
      ['{a,b*}c', ['ac', 'bc', 'bxc'], ['cc']],
      ['a{b,{c,d}}', ['ab', 'ac', 'ad'], ['ae']],
      ['a\\*', ['a*'], ['ab']],
      ['a.b+c|d', ['a.b+c|d'], ['axb+c|d', 'd']],
      ['a,b}', ['a,b}'], []],
    ]
    for (const [glob, matching, others] of CASES) {
      const pattern = compileGlob(glob)
      for (const text of matching) assert.ok(pattern.matches(text), `${glob} ${text}`)
      for (const text of others) assert.ok(!pattern.matches(text), `${glob} ${text}`)
    }
    for (const glob of ['{a', 'a\\', '[', 'x'.repeat(2000)]) assert.throws(() => compileGlob(glob), isCodedError)
  })

  test('any glob is either compiled or refused', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from('ab*?[]{}!-\\,^.(')), maxLength: 12 }),
        fc.string({ maxLength: 8 }),
        (glob, text) => {
          try {
            compileGlob(glob).matches(text)
          } catch (error) {
            assert.ok(isCodedError(error), String(error))
          }
        },
      ),
      { numRuns: fuzzRuns() },
    )
  })

  const shown = (expression: string): JsonObject => ({
    validations: [{ expression: 'false', messageExpression: expression }],
  })
  const images = (...matchImageReferences: readonly JsonValue[]): JsonObject => ({
    matchImageReferences,
    ...shown("images.containers.map(i, i.split('@')[0]).join(',')"),
  })
  const pod = podOf(IMAGE, 'ghcr.io/acme/tool:v1', 'nginx')
  const CASES: readonly (readonly [spec: JsonObject, expected: string])[] = [
    [images({ glob: 'ghcr.io/acme/app*' }), IMAGE],
    [images({ glob: 'ghcr.io/acme/app:v1' }, { glob: '*tool*' }), `${IMAGE},ghcr.io/acme/tool:v1`],
    [images({ expression: "parseImageReference(ref).repository() == 'acme/tool'" }), 'ghcr.io/acme/tool:v1'],
    [
      images({ expression: "image(ref).registry() == 'ghcr.io' && image(ref).tag() == 'v1'" }),
      `${IMAGE},ghcr.io/acme/tool:v1`,
    ],
    [images({ expression: 'false' }), ''],
    [
      shown("images.map(k, k).sort().join(',') + ' ' + string(images.initContainers.size())"),
      'containers,ephemeralContainers,initContainers 0',
    ],
    [shown('string(has(images.nothing))'), 'false'],
    [shown('images.containers.map(i, string(image(i).digest().size())).join(" ")'), '71 71'],
    [shown('image.getMetadata(images.containers[0]).config.architecture'), 'amd64'],
    [
      shown("getImageData(images.containers[0]).registry + '/' + getImageData(images.containers[0]).repository"),
      'ghcr.io/acme/app',
    ],
  ]
  for (const [spec, expected] of CASES)
    test(JSON.stringify(spec), async () => {
      const otherwise = expected === '' ? 'CEL expression validation failed at index 0' : expected
      assert.equal(await outcome(pod, spec), `failed: ${otherwise}`)
    })

  test('found by the policy itself, where a resource makes no pods', async () => {
    const review = reviewOf('Rollout', {
      apiVersion: 'x/v1',
      kind: 'Rollout',
      spec: { parts: [{ image: IMAGE }, { image: 'nginx' }] },
    })
    const spec = {
      ...rules(rule({ resources: ['rollouts'] })),
      images: [{ name: 'parts', expression: 'object.spec.parts.map(p, p.image)' }],
      validationConfigurations: { verifyDigest: false },
      ...shown("images.parts.join(',') + ' ' + string(images.size())"),
    }
    assert.equal(await outcome(review, spec), `failed: ${IMAGE} 1`)
    const strict = { ...spec, validationConfigurations: {} }
    assert.equal(await outcome(review, strict), `failed: image ${IMAGE} does not have a digest`)
    const wrong = { ...spec, images: [{ name: 'parts', expression: 'object.spec.parts' }] }
    assert.match(await outcome(review, wrong), /images are found as a list of texts/)
  })

  test('of JSON that is no resource', async () => {
    const payload = reviewOfPayload({ foo: { bar: IMAGE } })
    const spec = {
      evaluation: { mode: 'JSON' },
      images: [{ name: 'bar', expression: '[object.foo.bar]' }],
      validationConfigurations: { verifyDigest: false },
      ...shown('images.bar[0]'),
    }
    assert.equal(await outcome(payload, spec), `failed: ${IMAGE}`)
    assert.equal(await outcome(pod, spec), NOT)
    assert.equal(await outcome(payload, { ...spec, evaluation: {} }), NOT)
    await assert.rejects(
      policyOf({ spec: { ...spec, validations: [{ expression: 'request.x' }] } }),
      /undeclared reference to 'request'/,
    )
  })
})

describe('exceptions', () => {
  const exception = (spec: JsonObject, namespace = 'default'): JsonObject => ({
    apiVersion: 'policies.kyverno.io/v1beta1',
    kind: 'PolicyException',
    metadata: { name: 'e', namespace },
    spec: { policyRefs: [{ name: 'test', kind: 'ImageValidatingPolicy' }], ...spec },
  })
  const excused = async (spec: JsonObject, namespace?: string, text: Partial<PolicyText> = {}): Promise<string> => {
    const compiled = await compileException(exception(spec, namespace))
    const policy = await policyOf({ ...text, spec: REFUSING })
    const { rules: said, message } = await judged([policy], podOf(IMAGE), {
      ports: bench.ports(),
      exceptions: [compiled],
    })
    return said[0]?.verdict === 'skipped' ? said[0].message : message
  }
  const SKIPPED = 'rule is skipped due to policy exception default/e'

  test('by name and condition', async () => {
    assert.equal(await excused({}), SKIPPED)
    const conditions = (expression: string): JsonObject => ({ matchConditions: [{ name: 'c', expression }] })
    assert.equal(await excused(conditions("object.metadata.name == 'test'")), SKIPPED)
    assert.equal(await excused(conditions("object.metadata.name == 'other'")), 'Policy test failed: no')
    assert.equal(
      await excused(conditions('object.nothing')),
      'Policy test error: failed to evaluate policy: no such key: nothing',
    )
    for (const ref of [
      { name: 'other', kind: 'ImageValidatingPolicy' },
      { name: 'test', kind: 'ValidatingPolicy' },
    ])
      assert.equal(await excused({ policyRefs: [ref] }), 'Policy test failed: no')
  })

  test('until they expire', async () => {
    assert.equal(await excused({ expiresAt: '2999-01-01T00:00:00Z' }), SKIPPED)
    assert.equal(await excused({ expiresAt: '1999-01-01T00:00:00Z' }), 'Policy test failed: no')
  })

  test('for images, if the resource has no others', async () => {
    assert.equal(await excused({ images: ['ghcr.io/acme/*'] }), SKIPPED)
    assert.equal(await excused({ images: ['ghcr.io/other/*'] }), 'Policy test failed: no')
  })

  test('for images, wherever the policy finds them', async () => {
    const custom = reviewOf('Widget', {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w', namespace: 'default' },
      spec: { image: IMAGE },
    })
    const policy = await policyOf({
      spec: {
        ...REFUSING,
        matchConstraints: {
          resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
        },
        images: [{ name: 'widget', expression: '[object.spec.image]' }],
        validationConfigurations: { verifyDigest: false },
      },
    })
    const verdictOf = async (review: Review, images: readonly string[]): Promise<string> => {
      const exceptions = [await compileException(exception({ images }))]
      const { rules: said, message } = await judged([policy], review, { ports: bench.ports(), exceptions })
      return said[0]?.verdict === 'skipped' ? said[0].message : message
    }
    assert.equal(await verdictOf(custom, ['ghcr.io/acme/*']), SKIPPED)
    assert.equal(await verdictOf(custom, ['ghcr.io/other/*']), 'Policy test failed: no')
    const without = reviewOf('Widget', { ...custom.object, spec: {} })
    assert.match(await verdictOf(without, ['*']), /no such key: image$/)
  })

  test('for images, and not for a resource that has none', async () => {
    const policy = await policyOf({ spec: REFUSING })
    const exceptions = [await compileException(exception({ images: ['*'] }))]
    const { message } = await judged([policy], podOf(), { ports: bench.ports(), exceptions })
    assert.equal(message, 'Policy test failed: no')
  })

  test('for a tag, and not for whatever is named beside it', async () => {
    const policy = await policyOf({ spec: REFUSING })
    const exceptions = [await compileException(exception({ images: [IMAGE] }))]
    const pinned = bench.pushImage('ghcr.io/acme/app:v2')
    const digest = pinned.slice(pinned.indexOf('@'))
    for (const image of [pinned, `${IMAGE}${digest}`, 'ghcr.io/acme/app:v2', 'ghcr.io/acme/app']) {
      const { allowed } = await judged([policy], podOf(image), { ports: bench.ports(), exceptions })
      assert.ok(!allowed, image)
    }
    const { allowed } = await judged([policy], podOf(IMAGE), { ports: bench.ports(), exceptions })
    assert.ok(allowed)
  })

  test('of a namespaced policy, in its own namespace only', async () => {
    const policyRefs = [{ name: 'test', kind: 'NamespacedImageValidatingPolicy' }]
    const text = { kind: 'NamespacedImageValidatingPolicy', namespace: 'default' }
    assert.equal(await excused({ policyRefs }, 'default', text), SKIPPED)
    assert.equal(await excused({ policyRefs }, 'other', text), 'Policy test failed: no')
    assert.equal(await excused({}, 'default', text), 'Policy test failed: no')
  })

  test('that are wrong', async () => {
    const WRONG: readonly (readonly [JsonObject, RegExp])[] = [
      [{ policyRefs: [] }, /must specify at least one policy ref/],
      [{ policyRefs: [{ name: 'x' }] }, /kind: Required value/],
      [{ matchConditions: [{ name: 'c', expression: '1' }] }, /spec\.matchConditions: .*bool/],
      [{ reportResult: 'x' }, /Unsupported value/],
      [{ expiresAt: 'tomorrow' }, /expected a time/],
      [{ images: ['{'] }, /not a glob/],
      [{ nothing: 1 }, /unknown field/],
    ]
    for (const [spec, message] of WRONG)
      await assert.rejects(
        compileException(exception(spec)),
        (error: unknown) => isCodedError(error) && message.test(error.message),
        String(message),
      )
    await assert.rejects(compileException({ ...exception({}), apiVersion: 'policies.kyverno.io/v9' }), {
      code: 'POLICY_KIND',
    })
    await assert.rejects(compileException({ kind: 'PolicyException' }), { code: 'POLICY_KIND' })
  })
})
