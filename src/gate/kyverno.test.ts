import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { admissionReview, openGateBench, pod, type GateBench, type GateBenchOptions } from '#testing/gate/gate-bench'

const ISSUER = 'https://issuer.example.com'
const VALIDATE = '/validations/kyverno?timeout=10s'
const MUTATE = '/mutations/kyverno?timeout=10s'
const KEYLESS = { keyless: { issuer: ISSUER, subject: 'ann@example.com' } }

interface PolicyParts {
  readonly kind?: 'ClusterPolicy' | 'Policy'
  readonly name?: string
  readonly namespace?: string
  readonly spec?: JsonObject
  readonly rule?: JsonObject
  readonly verify?: JsonObject
  readonly annotations?: Readonly<Record<string, string>>
}

/** As somebody would write it: pods, one registry, who signs. */
function policy({
  kind = 'ClusterPolicy',
  name = 'signed',
  namespace,
  spec,
  rule,
  verify,
  annotations = {},
}: PolicyParts = {}): JsonObject {
  return {
    apiVersion: 'kyverno.io/v1',
    kind,
    metadata: { name, annotations, ...(namespace !== undefined && { namespace }) },
    spec: {
      validationFailureAction: 'Enforce',
      rules: [
        {
          name: 'by-us',
          match: { any: [{ resources: { kinds: ['Pod'] } }] },
          verifyImages: [{ imageReferences: ['ghcr.io/*'], attestors: [{ entries: [KEYLESS] }], ...verify }],
          ...rule,
        },
      ],
      ...spec,
    },
  }
}

interface Cluster extends GateBench {
  readonly signed: string
  readonly bare: string
}

async function open(t: TestContext, options: GateBenchOptions = {}): Promise<Cluster> {
  const bench = await openGateBench(options)
  t.after(() => bench.close())
  const signed = bench.images.pushImage('ghcr.io/acme/app:1')
  const bare = bench.images.pushImage('ghcr.io/acme/bare:1')
  await bench.images.sign(signed, await bench.images.person('ann@example.com', ISSUER))
  return { ...bench, signed, bare }
}

const inNamespace = (namespace: string, image: string): JsonObject => {
  const object = pod(image)
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), namespace } }
}

describe('a policy of Kyverno’s, as it is written', () => {
  test('signed: admitted, and its digest written in; unsigned: denied in Kyverno’s words', async (t) => {
    const { review, apply, signed, bare } = await open(t)
    await apply(policy())
    const { allowed, patch } = await review(MUTATE, pod('ghcr.io/acme/app:1'))
    assert.equal(allowed, true)
    assert.equal(patch?.[0]?.value, `ghcr.io/acme/app:1${signed.slice(signed.indexOf('@'))}`)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    const denied = await review(VALIDATE, pod(bare))
    assert.match(denied.status?.message ?? '', /resource Pod\/default\/web was blocked due to the following policies/)
    assert.match(denied.status?.message ?? '', /signed:\s+by-us: .*failed to verify image/s)
    assert.match(denied.status?.message ?? '', /expects: ann@example\.com by https:\/\/issuer\.example\.com/)
  })

  test('it guards what makes pods, but for what its annotation leaves out', async (t) => {
    const { review, apply, bare } = await open(t)
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x', namespace: 'default' },
      spec: { template: { spec: { containers: [{ name: 'a', image: bare }] } } },
    }
    await apply(policy())
    assert.equal((await review(VALIDATE, deployment)).allowed, false)
    await apply(policy({ annotations: { 'pod-policies.kyverno.io/autogen-controllers': 'none' } }))
    assert.equal((await review(VALIDATE, deployment)).allowed, true)
    assert.equal((await review(VALIDATE, pod(bare))).allowed, false)
  })

  test('who has to have signed may stand in a global context entry; without it nothing is admitted', async (t) => {
    const { review, apply, signed, cluster, time } = await open(t)
    const context = [{ name: 'signer', globalReference: { name: 'signers.ours' } }]
    const attestors = [{ entries: [{ keyless: { issuer: ISSUER, subject: '{{ signer }}' } }] }]
    const signers = (subject: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'signers', namespace: 'security' },
      data: { subject },
    })
    const entry = {
      apiVersion: 'kyverno.io/v2beta1',
      kind: 'GlobalContextEntry',
      metadata: { name: 'signers' },
      spec: {
        kubernetesResource: { version: 'v1', resource: 'configmaps', namespace: 'security' },
        projections: [{ name: 'ours', jmesPath: "[?metadata.name=='signers'].data.subject | [0]" }],
      },
    }
    await apply(policy({ rule: { context }, verify: { attestors } }))
    assert.equal((await review(VALIDATE, pod(signed))).allowed, false)
    await apply(signers('ann@example.com'), entry)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    cluster.put(signers('bob@example.com'))
    await time.advance(6_000)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, false)
  })

  test('auditing admits, and tells in the report', async (t) => {
    const { review, apply, bare, cluster, settle } = await open(t, { reports: true })
    await apply(policy({ spec: { validationFailureAction: 'Audit' } }))
    const { allowed, auditAnnotations } = await review(VALIDATE, pod(bare))
    assert.deepEqual([allowed, auditAnnotations?.['policies']], [true, 'signed/by-us=audited'])
    await settle()
    const uid = '11111111-2222-3333-4444-555555555555'
    const at = { apiVersion: 'wgpolicyk8s.io/v1alpha2', resource: 'policyreports', namespace: 'default', name: uid }
    assert.deepEqual(cluster.get(at)?.['summary'], { pass: 0, fail: 1, warn: 0, error: 0, skip: 0 })
  })

  test('a warning is one where the policy asks for it', async (t) => {
    const { review, apply, bare } = await open(t)
    await apply(policy({ spec: { validationFailureAction: 'Audit', emitWarning: true } }))
    const { allowed, warnings } = await review(VALIDATE, pod(bare))
    assert.equal(allowed, true)
    assert.match(warnings?.join('\n') ?? '', /failed to verify image/)
  })

  test('a policy of a namespace guards that namespace alone', async (t) => {
    const { review, apply, bare } = await open(t)
    await apply(policy({ kind: 'Policy', namespace: 'shop' }))
    assert.equal((await review(VALIDATE, inNamespace('shop', bare))).allowed, false)
    assert.equal((await review(VALIDATE, inNamespace('other', bare))).allowed, true)
  })

  test('a namespace selector is asked of the namespace as it is now', async (t) => {
    const { review, apply, bare } = await open(t)
    const namespaceSelector = { matchLabels: { tier: 'production' } }
    await apply(policy({ rule: { match: { any: [{ resources: { kinds: ['Pod'], namespaceSelector } }] } } }))
    const namespace = (tier: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { tier } },
    })
    await apply(namespace('test'))
    assert.equal((await review(VALIDATE, inNamespace('shop', bare))).allowed, true)
    await apply(namespace('production'))
    assert.equal((await review(VALIDATE, inNamespace('shop', bare))).allowed, false)
  })

  test('an exception excuses whom it names, if it is in a namespace whose exceptions count', async (t) => {
    const exception = (namespace: string): JsonObject => ({
      apiVersion: 'kyverno.io/v2',
      kind: 'PolicyException',
      metadata: { name: 'for-web', namespace },
      spec: {
        exceptions: [{ policyName: 'signed', ruleNames: ['by-us'] }],
        match: { any: [{ resources: { kinds: ['Pod'], names: ['web'] } }] },
      },
    })
    const { review, apply, bare } = await open(t, { exceptionsFrom: new Set(['exceptions']) })
    await apply(policy(), exception('default'))
    assert.equal((await review(VALIDATE, pod(bare))).allowed, false)
    await apply(exception('exceptions'))
    assert.equal((await review(VALIDATE, pod(bare))).allowed, true)
    const other = { ...pod(bare), metadata: { name: 'other', namespace: 'default' } }
    assert.equal((await review(VALIDATE, other)).allowed, false)
  })

  test('a policy that was taken away asks for nothing, and one that is changed asks for what it says now', async (t) => {
    const { review, apply, signed, cluster, settle } = await open(t)
    const mallory = { keyless: { issuer: ISSUER, subject: 'mallory@example.com' } }
    await apply(policy())
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    await apply(policy({ verify: { attestors: [{ entries: [mallory] }] } }))
    assert.equal((await review(VALIDATE, pod(signed))).allowed, false)
    cluster.remove({ apiVersion: 'kyverno.io/v1', resource: 'clusterpolicies', name: 'signed' })
    await settle()
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
  })
})

describe('policies that are hostile', () => {
  const deep = (depth: number): JsonObject => {
    let condition: JsonObject = { key: '{{ a }}', operator: 'Equals', value: 'x' }
    for (let level = 0; level < depth; level++) condition = { all: [condition] }
    return condition
  }
  const POLICIES: readonly (readonly [string, PolicyParts])[] = [
    ['no attestor at all', { verify: { attestors: [{ entries: [] }] } }],
    ['an attestor that asks for nothing', { verify: { attestors: [{ entries: [{ keyless: {} }] }] } }],
    ['a key that is none', { verify: { attestors: [{ entries: [{ keys: { publicKeys: 'x' } }] }] } }],
    ['Notary', { verify: { type: 'Notary' } }],
    [
      'a pattern that repeats without end',
      {
        verify: {
          attestors: [
            { entries: [{ keyless: { issuer: ISSUER, subjectRegExp: '((((a{1,900}){1,900}){1,900}){1,900})' } }] },
          ],
        },
      },
    ],
    [
      'a pattern that is none',
      { verify: { attestors: [{ entries: [{ keyless: { issuer: ISSUER, subjectRegExp: '(?<=x)(a|' } }] }] } },
    ],
    [
      'a thousand wildcards',
      { verify: { imageReferences: [`ghcr.io/${'*a'.repeat(1000)}`, 'ghcr.io/*'], attestors: [] } },
    ],
    ['conditions nested a thousand deep', { rule: { preconditions: deep(1000) } }],
    [
      'a variable that is no expression',
      { rule: { preconditions: { all: [{ key: '{{ [[[ }}', operator: 'Equals', value: 'x' }] } } },
    ],
    ['an operator that is none', { rule: { preconditions: { all: [{ key: 'a', operator: 'Is', value: 'x' }] } } }],
  ]
  for (const [name, parts] of POLICIES) {
    test(`${name}: nothing unsigned gets in, and nothing hangs`, async (t) => {
      const { review, apply, bare } = await open(t)
      await apply(policy(parts))
      const { allowed, status } = await review(VALIDATE, pod(bare))
      assert.equal(allowed, false, name)
      assert.ok((status?.message.length ?? 0) > 20)
    })
  }

  test('a pattern that makes others hang is linear here, on a name that an attacker chose', async (t) => {
    const { review, apply, images, bare } = await open(t)
    const keyless = { issuer: ISSUER, subjectRegExp: '(a+)+(b+)+@example\\.com' }
    await apply(policy({ verify: { attestors: [{ entries: [{ keyless }] }] } }))
    await images.sign(bare, await images.person(`${'a'.repeat(3000)}!@example.org`, ISSUER))
    const started = performance.now()
    assert.equal((await review(VALIDATE, pod(bare))).allowed, false)
    assert.ok(performance.now() - started < 10_000)
  })

  test('one that is nested too deeply to be read refuses, and hides no other one', async (t) => {
    const { review, apply, bare, signed } = await open(t)
    for (const depth of [100, 1000, 4000]) {
      await apply(policy({ name: 'deep', rule: { preconditions: deep(depth) } }))
      assert.equal((await review(VALIDATE, pod(bare))).allowed, false)
      // What comes after it is obeyed all the same.
      const name = `later-${String(depth)}`
      await apply(policy({ name, verify: { imageReferences: [`quay.io/${name}/*`] } }))
      const digest = signed.slice(signed.indexOf('@'))
      const { allowed, status } = await review(VALIDATE, pod(`quay.io/${name}/app${digest}`))
      assert.deepEqual([allowed, status?.message.includes(name)], [false, true], status?.message)
    }
  })

  test('five hundred policies are judged, and one of them that refuses is enough', async (t) => {
    const { review, apply, signed } = await open(t)
    const many = Array.from({ length: 500 }, (_, index) => policy({ name: `p${String(index)}` }))
    await apply(...many)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    const mallory = { keyless: { issuer: ISSUER, subject: 'mallory@example.com' } }
    await apply(policy({ name: 'p250', verify: { attestors: [{ entries: [mallory] }] } }))
    assert.equal((await review(VALIDATE, pod(signed))).allowed, false)
  })

  test('one that is refused by the webhook of policies says where it is wrong', async (t) => {
    const { post } = await open(t)
    const review = (document: JsonObject): string => JSON.stringify(admissionReview(document))
    const refused = await post('/validating', review(policy({ verify: { attestorz: [] } })))
    assert.equal(refused.allowed, false)
    assert.match(refused.status?.message ?? '', /attestorz/)
    assert.equal((await post('/validating', review(policy()))).allowed, true)
  })
})
