import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { clusterImagePolicy, openGateBench, pod, type GateBench } from '#testing/gate/gate-bench'
import { ANN, ISSUER, MUTATE, VALIDATE, openGate, withImages } from '#testing/gate/signed-images'

describe('what is judged', () => {
  test('signed is admitted and pinned, unsigned denied in the original’s words, with who was expected', async (t) => {
    const { review, signed, bare } = await withImages(t)
    const mutated = await review(MUTATE, pod('ghcr.io/acme/app:1'))
    const digest = signed.slice(signed.indexOf('@'))
    assert.deepEqual(mutated.patch, [
      { op: 'replace', path: '/spec/containers/0/image', value: `ghcr.io/acme/app:1${digest}` },
    ])
    const admitted = await review(VALIDATE, pod(`ghcr.io/acme/app:1${digest}`))
    assert.deepEqual([admitted.allowed, admitted.patch], [true, undefined])
    assert.equal(admitted.auditAnnotations?.['policies'], 'signed=admitted')
    const denied = await review(VALIDATE, pod(bare))
    assert.deepEqual([denied.allowed, denied.status?.code, denied.status?.reason], [false, 400, 'BadRequest'])
    assert.match(
      denied.status?.message ?? '',
      /^validation failed: failed policy: signed: spec\.containers\[0\]\.image\n.* signature keyless validation failed for authority us for .*: no signatures found/,
    )
    assert.match(
      denied.status?.message ?? '',
      /policy signed expects: ann@example\.com by https:\/\/issuer\.example\.com/,
    )
    assert.match(denied.status?.message ?? '', /countersign verify --explain --certificate-identity ann@example\.com/)
  })

  test('who signed instead is told, and is not accepted', async (t) => {
    const { review, images, bare } = await withImages(t)
    await images.sign(bare, await images.person('mallory@example.com', ISSUER))
    const denied = await review(VALIDATE, pod(bare))
    assert.equal(denied.allowed, false)
    assert.match(denied.status?.message ?? '', /signed by: mallory@example\.com by https:\/\/issuer\.example\.com/)
  })

  const template = (image: string): JsonObject => ({ spec: { containers: [{ name: 'a', image }] } })
  const KINDS: readonly (readonly [string, (image: string) => JsonObject, string])[] = [
    ['Deployment', (image) => ({ template: template(image) }), 'spec.template.spec.containers[0].image'],
    ['StatefulSet', (image) => ({ template: template(image) }), 'spec.template.spec.containers[0].image'],
    ['DaemonSet', (image) => ({ template: template(image) }), 'spec.template.spec.containers[0].image'],
    ['ReplicaSet', (image) => ({ template: template(image) }), 'spec.template.spec.containers[0].image'],
    ['ReplicationController', (image) => ({ template: template(image) }), 'spec.template.spec.containers[0].image'],
    ['Job', (image) => ({ template: template(image) }), 'spec.template.spec.containers[0].image'],
    [
      'CronJob',
      (image) => ({ jobTemplate: { spec: { template: template(image) } } }),
      'spec.jobTemplate.spec.template.spec.containers[0].image',
    ],
    ['Pod', (image) => ({ containers: [], initContainers: [{ name: 'i', image }] }), 'spec.initContainers[0].image'],
    [
      'Pod',
      (image) => ({ containers: [], ephemeralContainers: [{ name: 'e', image }] }),
      'spec.ephemeralContainers[0].image',
    ],
    [
      'Pod',
      (image) => ({ containers: [], volumes: [{ name: 'v', image: { reference: image } }] }),
      'spec.volumes[0].image.reference',
    ],
  ]
  for (const [kind, spec, path] of KINDS) {
    test(`${kind}, ${path}`, async (t) => {
      const { review, signed, bare } = await withImages(t)
      const object = (image: string): JsonObject => ({ kind, metadata: { name: 'x' }, spec: spec(image) })
      assert.equal((await review(VALIDATE, object(signed))).allowed, true)
      const denied = await review(VALIDATE, object(bare))
      assert.equal(denied.allowed, false)
      assert.ok(denied.status?.message.includes(`failed policy: signed: ${path}\n`), denied.status?.message)
    })
  }

  test('a PodTemplate has its specification elsewhere', async (t) => {
    const { review, bare } = await withImages(t)
    const object = { kind: 'PodTemplate', metadata: { name: 'x' }, template: template(bare) }
    assert.match(
      (await review(VALIDATE, object)).status?.message ?? '',
      /signed: template\.spec\.containers\[0\]\.image/,
    )
  })

  test('kinds that are declared to run images, by their pod specification and by a text', async (t) => {
    const declared = {
      podSpecs: [['spec', 'pod']],
      images: [['spec', 'steps', '*', 'image']],
    }
    const { review, signed, bare } = await withImages(t, { declared: () => declared })
    const object = (spec: JsonObject): JsonObject => ({ kind: 'Workflow', metadata: { name: 'x' }, spec })
    const steps = (image: string): JsonObject => ({ steps: { first: { image: signed }, second: { image } } })
    assert.equal((await review(VALIDATE, object(steps(signed)))).allowed, true)
    const denied = await review(VALIDATE, object(steps(bare)))
    assert.match(denied.status?.message ?? '', /signed: spec\.steps\.second\.image\n/)
    const inPod = await review(VALIDATE, object({ pod: { containers: [{ name: 'a', image: bare }] } }))
    assert.match(inPod.status?.message ?? '', /signed: spec\.pod\.containers\[0\]\.image\n/)
  })

  test('what no policy is about is denied by its webhook, and by Kyverno’s it is not', async (t) => {
    const bench = await openGate(t)
    const denied = await bench.review(VALIDATE, pod('quay.io/other/app:1'))
    assert.match(
      denied.status?.message ?? '',
      /^validation failed: no matching policies: spec\.containers\[0\]\.image\nquay\.io/,
    )
    assert.equal((await bench.review('/validations/kyverno', pod('quay.io/other/app:1'))).allowed, true)
    assert.equal((await bench.review('/validations', pod('quay.io/other/app:1'))).allowed, true)
    const metadata = { name: 'config-policy-controller', namespace: 'countersign-system' }
    await bench.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'no-match-policy': 'warn' } })
    const warned = await bench.review(VALIDATE, pod('quay.io/other/app:1'))
    assert.deepEqual(
      [warned.allowed, warned.warnings],
      [true, ['no matching policies: spec.containers[0].image; quay.io/other/app:1']],
    )
  })

  test('a policy that warns admits with a warning', async (t) => {
    const bench = await openGate(t)
    const bare = bench.images.pushImage('ghcr.io/acme/bare:1')
    await bench.apply(clusterImagePolicy('soft', ANN, { mode: 'warn' }))
    const { allowed, warnings } = await bench.review(VALIDATE, pod(bare))
    assert.equal(allowed, true)
    assert.match(warnings?.[0] ?? '', /^failed policy: soft: spec\.containers\[0\]\.image; /)
  })
})

describe('updates', () => {
  const deployment = (image: string, replicas: number, more: JsonObject = {}): JsonObject => ({
    kind: 'Deployment',
    metadata: { name: 'x', ...more },
    spec: { replicas, template: { spec: { containers: [{ name: 'a', image }] } } },
  })
  const update = { operation: 'UPDATE' } as const

  test('fewer replicas of what runs pass; with another image along they do not', async (t) => {
    const { review, bare } = await withImages(t)
    const oldObject = deployment(bare, 3)
    assert.equal((await review(VALIDATE, deployment(bare, 1), { ...update, oldObject })).allowed, true)
    const other = bare.replace('bare', 'other')
    assert.equal((await review(VALIDATE, deployment(other, 1), { ...update, oldObject })).allowed, false)
    assert.equal((await review(VALIDATE, deployment(bare, 4), { ...update, oldObject })).allowed, false)
  })

  test('what is being deleted passes; a creation that says so does not', async (t) => {
    const { review, bare } = await withImages(t)
    const deleted = deployment(bare, 1, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    assert.equal((await review(VALIDATE, deleted, { ...update, oldObject: deleted })).allowed, true)
    assert.equal((await review(VALIDATE, deleted)).allowed, false)
    assert.equal((await review(VALIDATE, deleted, { ...update, oldObject: deployment(bare, 1) })).allowed, false)
    const other = deployment(bare.replace('bare', 'other'), 1, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    assert.equal((await review(VALIDATE, deleted, { ...update, oldObject: other })).allowed, false)
    assert.equal(
      (await review(VALIDATE, deleted, { operation: 'DELETE', object: null, oldObject: deleted })).allowed,
      true,
    )
  })

  test('digests are written into pods, and by option into all kinds, but not into a Job that is there', async (t) => {
    const job = {
      kind: 'Job',
      metadata: { name: 'j' },
      spec: { template: { spec: { containers: [{ image: 'ghcr.io/acme/app:1' }] } } },
    }
    const pods = await withImages(t)
    assert.equal((await pods.review(MUTATE, job)).patch, undefined)
    assert.equal((await pods.review(VALIDATE, job)).allowed, true)
    const all = await withImages(t, { pins: 'all' })
    assert.equal((await all.review(MUTATE, job)).patch?.length, 1)
    assert.match((await all.review(VALIDATE, job)).status?.message ?? '', /must be an image digest: spec\.template/)
    const again = { operation: 'UPDATE', oldObject: job }
    assert.deepEqual(
      [(await all.review(MUTATE, job, again)).patch, (await all.review(VALIDATE, job, again)).allowed],
      [undefined, true],
    )
    const none = await withImages(t, { pins: 'none' })
    assert.equal((await none.review(MUTATE, pod('ghcr.io/acme/app:1'))).patch, undefined)
    assert.match(
      (await none.review(VALIDATE, pod('ghcr.io/acme/app:1'))).status?.message ?? '',
      /must be an image digest/,
    )
  })

  test('a pod that ran with a tag before is not restarted by a label', async (t) => {
    const { review } = await withImages(t)
    const before = pod('ghcr.io/acme/app:1')
    const labelled = { ...before, metadata: { name: 'web', labels: { a: 'b' } } }
    const more = { ...update, oldObject: before }
    assert.equal((await review(MUTATE, labelled, more)).patch, undefined)
    assert.equal((await review(VALIDATE, labelled, more)).allowed, true)
  })
})

describe('what is told', () => {
  let bench: GateBench
  let bare: string
  let signed: string
  before(async () => {
    bench = await openGateBench({ events: true, reports: true })
    signed = bench.images.pushImage('ghcr.io/acme/app:1')
    bare = bench.images.pushImage('ghcr.io/acme/bare:1')
    await bench.images.sign(signed, await bench.images.person('ann@example.com', ISSUER))
    await bench.apply(
      clusterImagePolicy('signed', ANN),
      clusterImagePolicy('soft', { static: { action: 'fail', message: 'no' } }, { mode: 'warn' }),
    )
  })

  test('a report on what is let in, owned by it', async () => {
    await bench.review(VALIDATE, pod(signed))
    await bench.settle()
    const uid = '11111111-2222-3333-4444-555555555555'
    const at = { apiVersion: 'wgpolicyk8s.io/v1alpha2', resource: 'policyreports', namespace: 'default' }
    const report = bench.cluster.get({ ...at, name: `sigstore-${uid}` })
    assert.ok(report)
    assert.deepEqual(report['summary'], { pass: 1, fail: 0, warn: 1, error: 0, skip: 0 })
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid }
    assert.deepEqual(report.metadata['ownerReferences'], [owner])
    assert.deepEqual(report['scope'], { ...owner, namespace: 'default' })
    const results = report['results'] as { policy: string; result: string; source: string; scored: boolean }[]
    assert.deepEqual(results.map(({ policy, result, source, scored }) => [policy, result, source, scored]).sort(), [
      ['signed', 'pass', 'sigstore', true],
      ['soft', 'warn', 'sigstore', true],
    ])
  })

  test('an event on the policy that refuses, once for all attempts', async () => {
    const before = bench.cluster.requests.filter((line) => line.startsWith('create events')).length
    for (let attempt = 0; attempt < 5; attempt++) await bench.review(VALIDATE, pod(bare))
    await bench.settle()
    const events = bench.cluster.requests.filter((line) => line.startsWith('create events'))
    assert.ok(events.length > before && events.length <= before + 3, String(events.length))
  })

  test('of a dry run nothing but the answer', async () => {
    const writes = (): number =>
      bench.cluster.requests.filter((line) => /^(?:create|apply|patch|update)/.test(line)).length
    const before = writes()
    const image = bench.images.pushImage('ghcr.io/acme/dry:1')
    const { allowed } = await bench.review(
      VALIDATE,
      { ...pod(image), metadata: { name: 'dry', uid: 'dry' } },
      { dryRun: true },
    )
    await bench.settle()
    assert.deepEqual([allowed, writes()], [false, before])
  })

  test('metrics and log lines say what happened', async () => {
    const text = await bench.metrics()
    assert.match(text, /countersign_admission_requests_total\{outcome="denied",phase="validating"\} \d+/)
    assert.match(
      text,
      /countersign_policy_results_total\{language="ClusterImagePolicy",policy="signed",result="admitted",rule=""\} \d+/,
    )
    assert.match(text, /countersign_admission_duration_seconds_count\{phase="validating",temperature="warm"\} \d+/)
    assert.match(text, /countersign_verification_cache_entries \d+/)
    assert.match(text, /countersign_registry_requests_total\{outcome="ok",registry="ghcr\.io",what="referrers"\} \d+/)
    const line = bench.log.find(({ message }) => message === 'denied')
    assert.equal(line?.['kind'], 'Pod')
    assert.ok(Array.isArray(line['rules']))
  })
})
