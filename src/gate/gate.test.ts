import assert from 'node:assert/strict'
import { before, describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { Fetch, FetchResponse } from '#clients/http/fetch'
import { createHeaders, createResponse } from '#clients/http/response'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import {
  admissionReview,
  clusterImagePolicy,
  openGateBench,
  pod,
  type GateBench,
  type GateBenchOptions,
} from '#testing/gate/gate-bench'

const ISSUER = 'https://issuer.example.com'
const ANN = { keyless: { identities: [{ issuer: ISSUER, subject: 'ann@example.com' }] } }
const VALIDATE = '/validations/sigstore?timeout=10s'
const MUTATE = '/mutations/sigstore?timeout=10s'

async function open(t: TestContext, options: GateBenchOptions = {}): Promise<GateBench> {
  const bench = await openGateBench(options)
  t.after(() => bench.close())
  return bench
}

/** A bench with an image that Ann signed, and one that nobody did. */
async function withImages(t: TestContext, options: GateBenchOptions = {}) {
  const bench = await open(t, options)
  const { images } = bench
  const signed = images.pushImage('ghcr.io/acme/app:1')
  const bare = images.pushImage('ghcr.io/acme/bare:1')
  await images.sign(signed, await images.person('ann@example.com', ISSUER))
  await bench.apply(clusterImagePolicy('signed', ANN))
  return { ...bench, signed, bare }
}

/** What a registry answers instead; undefined: what it has. */
type Meddling = (url: URL, init: Parameters<Fetch>[1]) => FetchResponse | Promise<FetchResponse> | undefined

function meddled(meddle: { current: Meddling }): (fetch: Fetch) => Fetch {
  return (fetch) => async (url, init) => (await meddle.current(new URL(url), init)) ?? (await fetch(url, init))
}

function answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): FetchResponse {
  async function* bytes() {
    if (body !== '') yield new TextEncoder().encode(body)
  }
  return createResponse(status, createHeaders(new Map(Object.entries(headers))), bytes())
}

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
    const bench = await open(t)
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
    const bench = await open(t)
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

describe('attacks: no admission without verification, no crash', () => {
  const ODD_IMAGES: readonly unknown[] = [
    ...[
      '',
      ' ',
      'UPPER/case:1',
      'a b',
      'ghcr.io/acme/../evil/app:1',
      'ghcr.io/acme/app:1@sha256:short',
      '@',
      ':',
      'a@b@c',
    ],
    ...[
      'ghcr.io/acme/app@md5:d41d8cd98f00b204e9800998ecf8427e',
      'http://ghcr.io/acme/app',
      'ghcr.io//app',
      '/app',
      'app/',
    ],
    ...[
      'ghcr.io/acme/app:1 ',
      '\u0000',
      'ghcr.io/acme/app\n:1',
      'a'.repeat(5000),
      '[::1]:5000/app',
      '💥',
      '-',
      '.',
      '..',
    ],
    ...[
      'ghcr.io/acme/app:tag@sha256:' + 'A'.repeat(64),
      'localhost',
      '::',
      'ghcr.io:99999999/app',
      'xn--ls8h.la/app:1',
    ],
    ...[0, true, {}, [], { image: 'ghcr.io/acme/app:1' }, ['ghcr.io/acme/app:1']],
  ]
  test('every odd form of an image', async (t) => {
    const { review } = await withImages(t)
    for (const image of ODD_IMAGES) {
      if (typeof image === 'string' && image.trim() === '') continue
      for (const path of [VALIDATE, MUTATE]) {
        const { allowed } = await review(path, pod(image as string))
        assert.equal(allowed, false, JSON.stringify(image))
      }
    }
  })

  for (const [name, annotations] of [
    ['Kyverno’s', { 'kyverno.io/verify-images': '{"ghcr.io/acme/bare:1":"pass"}' }],
    ['Kyverno’s scoped', { 'kyverno.io/verify-images-scoped': '{"version":1,"policies":{"/p":{"r":{"x":"pass"}}}}' }],
    ['ours', { 'countersign.dev/verified': 'true' }],
  ] as const) {
    test(`an annotation that says that all was verified: ${name}`, async (t) => {
      const { review, bare } = await withImages(t)
      const forged = { ...pod(bare), metadata: { name: 'web', annotations } }
      assert.equal((await review(VALIDATE, forged)).allowed, false)
    })
  }

  const BODIES: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['null', 'null'],
    ['half of it', JSON.stringify(admissionReview(pod('a'))).slice(0, -10)],
    [
      'nested too deeply',
      `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    ],
    [
      'two members of one name',
      JSON.stringify(admissionReview(pod('a'))).replace('"object":', '"object":{},"object":'),
    ],
    ['v1beta1', JSON.stringify({ ...admissionReview(pod('a')), apiVersion: 'admission.k8s.io/v1beta1' })],
    ['another kind', JSON.stringify({ ...admissionReview(pod('a')), kind: 'Pod' })],
    ['no request', JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' })],
    ['no uid', JSON.stringify(admissionReview(pod('a'), { uid: '' }))],
    ['a uid that is none', JSON.stringify(admissionReview(pod('a'), { uid: 'x'.repeat(200) }))],
    ['an operation that is none', JSON.stringify(admissionReview(pod('a'), { operation: 'READ' }))],
    ['no object', JSON.stringify(admissionReview(pod('a'), { object: null }))],
    ['an object that is none', JSON.stringify(admissionReview(pod('a'), { object: 'ghcr.io/acme/app' }))],
    ['no kind', JSON.stringify(admissionReview(pod('a'), { kind: null }))],
    ['no user', JSON.stringify(admissionReview(pod('a'), { userInfo: null }))],
    ['groups that are none', JSON.stringify(admissionReview(pod('a'), { userInfo: { groups: [1] } }))],
    ['a dry run that is none', JSON.stringify(admissionReview(pod('a'), { dryRun: 'yes' }))],
  ]
  for (const [name, body] of BODIES) {
    test(`a body that is no review: ${name}`, async (t) => {
      const { post } = await withImages(t)
      const response = await post(VALIDATE, body)
      assert.deepEqual([response.allowed, response.status?.code], [false, 400])
    })
  }

  test('a body that is too large, and one of another type', async (t) => {
    const { post, review } = await withImages(t)
    const large = pod(...new Array<string>(3).fill('x'.repeat(3 * 1024 * 1024)))
    const response = await review(VALIDATE, large)
    assert.deepEqual([response.allowed, response.uid], [false, ''])
    assert.match(response.status?.message ?? '', /too large/)
    const other = await post(VALIDATE, '{}', { 'content-type': 'text/plain' })
    assert.match(other.status?.message ?? '', /content type/)
    const packed = await post(VALIDATE, '{}', { 'content-encoding': 'gzip' })
    assert.equal(packed.allowed, false)
  })

  test('more images than anybody needs', async (t) => {
    const { review, signed } = await withImages(t)
    const { allowed, status } = await review(VALIDATE, pod(...new Array<string>(501).fill(signed)))
    assert.equal(allowed, false)
    assert.match(status?.message ?? '', /too many images/)
  })

  test('before the policies are loaded everything is denied', async (t) => {
    const bench = await open(t, { unstarted: true })
    const { allowed, status } = await bench.review(VALIDATE, pod('ghcr.io/acme/app:1'))
    assert.deepEqual([allowed, status?.code], [false, 503])
  })

  test('any bytes give a verdict in the right form', async (t) => {
    const { post } = await withImages(t)
    const near = fc
      .json({ maxDepth: 6 })
      .map((text) => `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":${text}}`)
    const fields = fc
      .dictionary(
        fc.constantFrom('uid', 'kind', 'resource', 'object', 'oldObject', 'operation', 'userInfo', 'dryRun', 'name'),
        fc.jsonValue(),
      )
      .map((more) => JSON.stringify(admissionReview(pod('ghcr.io/acme/bare:1'), more as JsonObject)))
    const object = fc
      .jsonValue()
      .map((spec) => JSON.stringify(admissionReview({ kind: 'Pod', metadata: {}, spec: spec as JsonObject })))
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array(), fc.string(), near, fields, object),
        fc.constantFrom(VALIDATE, MUTATE),
        async (body, path) => {
          const response = await post(path, body)
          // Nothing that names an image was signed here: what is let in names none.
          if (response.allowed) assert.doesNotMatch(String(response.auditAnnotations?.['policies']), /=admitted/)
        },
      ),
      { numRuns: fuzzRuns() },
    )
  })
})

describe('registries that misbehave', () => {
  const NO_SIGNATURE = /no signatures found/

  async function meddling(t: TestContext) {
    const meddle: { current: Meddling } = { current: () => undefined }
    const bench = await withImages(t, { registry: meddled(meddle) })
    return { ...bench, meddle }
  }

  const ANSWERS: readonly (readonly [string, () => FetchResponse])[] = [
    ['429', () => answer(429, '', { 'retry-after': '3600' })],
    ['401 without a challenge', () => answer(401)],
    ['401 with a challenge of another kind', () => answer(401, '', { 'www-authenticate': 'Negotiate' })],
    [
      '401 that sends the login elsewhere',
      () => answer(401, '', { 'www-authenticate': 'Bearer realm="http://evil.example/token"' }),
    ],
    ['403', () => answer(403)],
    ['500', () => answer(500)],
    [
      'a truncated body',
      () => answer(200, '{"schemaVersion":2,"medi', { 'content-type': 'application/vnd.oci.image.index.v1+json' }),
    ],
    [
      'a list that goes on elsewhere',
      () =>
        answer(200, '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}', {
          'content-type': 'application/vnd.oci.image.index.v1+json',
          link: '<https://evil.example/next>; rel="next"',
        }),
    ],
  ]
  for (const [name, make] of ANSWERS) {
    test(`lists of attachments: ${name}`, async (t) => {
      const { review, signed, meddle } = await meddling(t)
      meddle.current = (url) => (url.pathname.includes('/blobs/') ? undefined : make())
      const denied = await review(VALIDATE, pod(signed))
      assert.equal(denied.allowed, false)
      meddle.current = () => undefined
      // An error on the way is no answer about the image, and is not remembered as one.
      assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    })
  }

  test('a page of HTML in the place of a list is not believed for long', async (t) => {
    const { review, signed, meddle, time } = await meddling(t)
    meddle.current = (url) =>
      url.pathname.includes('/referrers/') ? answer(200, '<html>', { 'content-type': 'text/html' }) : undefined
    assert.equal((await review(VALIDATE, pod(signed))).allowed, false)
    meddle.current = () => undefined
    await time.advance(61_000)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
  })

  test('other bytes than their digest says', async (t) => {
    const { review, signed, meddle } = await meddling(t)
    meddle.current = (url) => (url.pathname.includes('/blobs/') ? answer(200, '{"forged":true}') : undefined)
    const denied = await review(VALIDATE, pod(signed))
    assert.equal(denied.allowed, false)
    meddle.current = () => undefined
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
  })

  test('a tag that is said to be another digest: what runs is what was verified', async (t) => {
    const { review, signed, bare, meddle } = await meddling(t)
    const [good, bad] = [signed.slice(signed.indexOf('@') + 1), bare.slice(bare.indexOf('@') + 1)]
    let asked = 0
    meddle.current = (url, init) => {
      if (init?.method !== 'HEAD' || !url.pathname.endsWith('/manifests/1')) return undefined
      asked++
      return answer(200, '', {
        'docker-content-digest': asked === 1 ? good : bad,
        'content-length': '10',
        'content-type': 'application/vnd.oci.image.manifest.v1+json',
      })
    }
    const { allowed, patch } = await review(MUTATE, pod('ghcr.io/acme/app:1', 'ghcr.io/acme/app:1'))
    assert.equal(allowed, true)
    assert.deepEqual(
      patch?.map(({ value }) => value),
      [`ghcr.io/acme/app:1@${good}`, `ghcr.io/acme/app:1@${good}`],
    )
    assert.equal(asked, 1)
  })

  test('one that hangs: denied within the time of the webhook, saying for what it waited', async (t) => {
    const { review, signed, meddle, time } = await meddling(t)
    meddle.current = () => new Promise<FetchResponse>(() => undefined)
    const pending = review('/validations/sigstore?timeout=5s', pod(signed))
    await time.advance(3900)
    await time.advance(200)
    const { allowed, status } = await pending
    assert.equal(allowed, false)
    assert.match(
      status?.message ?? '',
      /context was canceled before validation completed: waiting for signatures of ghcr\.io\/acme\/app@sha256/,
    )
  })

  test('one that hangs does not keep images of others waiting', async (t) => {
    const { review, signed, meddle, time, images, apply } = await meddling(t)
    const elsewhere = images.pushImage('other.example/app:1')
    await images.sign(elsewhere, await images.person('ann@example.com', ISSUER))
    meddle.current = (url) => (url.host === 'ghcr.io' ? new Promise<FetchResponse>(() => undefined) : undefined)
    const stuck = Array.from({ length: 50 }, () => review(VALIDATE, pod(signed)))
    assert.equal((await review(VALIDATE, pod(elsewhere))).allowed, true)
    await time.advance(9100)
    assert.ok((await Promise.all(stuck)).every(({ allowed }) => !allowed))
    await apply()
  })

  test('many attachments of others do not hide the good one', async (t) => {
    const { review, signed, images } = await withImages(t)
    for (let count = 0; count < 20; count++)
      await images.sign(signed, await images.person(`m${String(count)}@example.com`, ISSUER))
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
  })

  test('an unsigned bundle is no signature', async (t) => {
    const { review, bare, images } = await withImages(t)
    const other = images.pushImage('ghcr.io/acme/other:1')
    await images.sign(other, await images.person('ann@example.com', ISSUER))
    // The same bundle, attached to an image that it is not about.
    const [reference] = bare.split('@')
    for (const [key, manifest] of [...images.registry.manifests]) {
      if (!key.startsWith('acme/other@')) continue
      const text = new TextDecoder().decode(manifest.bytes)
      const moved = text.replaceAll(other.slice(other.indexOf('@') + 1), bare.slice(bare.indexOf('@') + 1))
      images.registry.put('acme/bare', manifest.mediaType, moved)
    }
    for (const [key, blob] of [...images.registry.blobs])
      if (key.startsWith('acme/other@')) images.registry.blobs.set(key.replace('acme/other@', 'acme/bare@'), blob)
    const denied = await review(VALIDATE, pod(bare))
    assert.equal(denied.allowed, false, reference)
    assert.doesNotMatch(denied.status?.message ?? '', NO_SIGNATURE)
  })
})

describe('what policies depend on', () => {
  const secret = (pem: string): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key', namespace: 'countersign-system' },
    data: { 'cosign.pub': Buffer.from(pem).toString('base64') },
  })
  const BY_KEY = { key: { secretRef: { name: 'key' } } }

  test('a key in a Secret: changed it counts at once, broken the last good one, taken away none', async (t) => {
    const bench = await open(t)
    const { images, review, apply, cluster, settle } = bench
    const [ann, bob] = [await images.keyHolder(), await images.keyHolder()]
    const image = images.pushImage('ghcr.io/acme/app:1')
    await images.sign(image, ann)
    await apply(clusterImagePolicy('by-key', BY_KEY), secret(publicKeyToPem(bob.key.publicKey)))
    assert.equal((await review(VALIDATE, pod(image))).allowed, false)
    await apply(secret(publicKeyToPem(ann.key.publicKey)))
    assert.equal((await review(VALIDATE, pod(image))).allowed, true)
    await apply(secret('no key'))
    assert.equal((await review(VALIDATE, pod(image))).allowed, true)
    cluster.remove({ apiVersion: 'v1', resource: 'secrets', namespace: 'countersign-system', name: 'key' })
    await settle()
    const denied = await review(VALIDATE, pod(image))
    assert.match(denied.status?.message ?? '', /there is no secret countersign-system\/key/)
  })

  test('a policy that is broken later keeps its last good form; one that never was good refuses what it is about', async (t) => {
    const { review, signed, bare, apply, metrics } = await withImages(t)
    const broken = {
      ...clusterImagePolicy('signed', { keyless: { identities: [] } }),
      metadata: { name: 'signed', generation: 2 },
    }
    await apply(broken)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    assert.equal((await review(VALIDATE, pod(bare))).allowed, false)
    assert.match(await metrics(), /countersign_policies\{condition="last good"\} 1/)
    const never = clusterImagePolicy('never', { key: { data: 'x' } }, { images: [{ glob: 'quay.io/**' }] })
    await apply(never, clusterImagePolicy('others', { static: { action: 'pass' } }))
    const refused = await review(VALIDATE, pod('quay.io/a/b@sha256:' + 'a'.repeat(64)))
    assert.match(refused.status?.message ?? '', /failed policy: never: .*\n.*the policy never cannot be used/)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    assert.match(await metrics(), /countersign_policies\{condition="refusing"\} 1/)
  })

  test('a TrustRoot that is named counts, another does not, and one that is gone is a refusal', async (t) => {
    const { images, review, apply, cluster, settle } = await open(t)
    const image = images.pushImage('ghcr.io/acme/app:1')
    await images.sign(image, await images.person('ann@example.com', ISSUER))
    await apply(
      clusterImagePolicy('rooted', {
        keyless: { ...ANN.keyless, trustRootRef: 'ours' },
        ctlog: { trustRootRef: 'ours' },
      }),
    )
    const missing = await review(VALIDATE, pod(image))
    assert.match(missing.status?.message ?? '', /trustRootRef ours not found/)
    const pem = (der: Uint8Array): string =>
      `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`
    const log = (key: { readonly spki: Uint8Array }): JsonObject => ({
      baseURL: 'https://log.example.com',
      hashAlgorithm: 'sha-256',
      publicKey: Buffer.from(
        `-----BEGIN PUBLIC KEY-----\n${Buffer.from(key.spki).toString('base64')}\n-----END PUBLIC KEY-----\n`,
      ).toString('base64'),
    })
    const { certificateAuthorities, ctlogs, tlogs } = images.pki.trusted
    const root = {
      apiVersion: 'policy.sigstore.dev/v1alpha1',
      kind: 'TrustRoot',
      metadata: { name: 'ours' },
      spec: {
        sigstoreKeys: {
          certificateAuthorities: certificateAuthorities.map(({ chain }) => ({
            subject: { organization: 'test', commonName: 'test' },
            uri: 'https://ca.example.com',
            certChain: Buffer.from(chain.map(({ der }) => pem(der)).join('')).toString('base64'),
          })),
          ctLogs: ctlogs.map(({ key }) => log(key)),
          tLogs: tlogs.filter(({ algorithm }) => algorithm.family === 'ecdsa').map(({ key }) => log(key)),
        },
      },
    }
    await apply(root)
    const admitted = await review(VALIDATE, pod(image))
    assert.equal(admitted.allowed, true, admitted.status?.message)
    cluster.remove({ apiVersion: 'policy.sigstore.dev/v1alpha1', resource: 'trustroots', name: 'ours' })
    await settle()
    assert.equal((await review(VALIDATE, pod(image))).allowed, false)
  })
})

describe('whose registry logins', () => {
  const LOGIN = `Basic ${Buffer.from('team-a:secret').toString('base64')}`

  /** A registry that lets only those in who have team A's login. */
  const locked: Meddling = (_, init) =>
    init?.headers?.['authorization'] === LOGIN ? undefined : answer(401, '', { 'www-authenticate': 'Basic realm="x"' })

  async function tenants(t: TestContext) {
    const meddle: { current: Meddling } = { current: () => undefined }
    const bench = await withImages(t, { registry: meddled(meddle) })
    const config = { auths: { 'ghcr.io': { auth: Buffer.from('team-a:secret').toString('base64') } } }
    const data = { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') }
    const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', data }
    await bench.apply({ ...secret, metadata: { name: 'pull', namespace: 'team-a' } })
    meddle.current = locked
    return bench
  }

  const inNamespace = (namespace: string, image: string, spec: JsonObject = {}): JsonObject => {
    const object = pod(image)
    return { ...object, metadata: { name: 'web', namespace }, spec: { ...(object['spec'] as JsonObject), ...spec } }
  }

  test('the pod’s own secrets, and those of its service account', async (t) => {
    const { review, signed, apply } = await tenants(t)
    const pulling = { imagePullSecrets: [{ name: 'pull' }] }
    assert.equal((await review(VALIDATE, inNamespace('team-a', signed, pulling))).allowed, true)
    await apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'runner', namespace: 'team-a' },
      ...pulling,
    })
    const account = inNamespace('team-a', signed, { serviceAccountName: 'runner' })
    assert.equal((await review(VALIDATE, account)).allowed, true)
  })

  test('what one namespace may read is not remembered for another that may not', async (t) => {
    const { review, signed, time } = await tenants(t)
    const pulling = { imagePullSecrets: [{ name: 'pull' }] }
    assert.equal((await review(VALIDATE, inNamespace('team-a', signed, pulling))).allowed, true)
    const other = await review(VALIDATE, inNamespace('team-b', signed, pulling))
    assert.equal(other.allowed, false)
    assert.match(other.status?.message ?? '', /wants a login/)
    await time.advance(1000)
    assert.equal((await review(VALIDATE, inNamespace('team-a', signed, pulling))).allowed, true)
  })

  test('no secret stands in any message, log line or metric', async (t) => {
    const { review, signed, log, metrics } = await tenants(t)
    await review(VALIDATE, inNamespace('team-a', signed, { imagePullSecrets: [{ name: 'pull' }] }))
    const denied = await review(VALIDATE, inNamespace('team-b', signed))
    const told = JSON.stringify([denied, log, await metrics()])
    for (const text of ['secret"', LOGIN.slice(6), ':secret']) assert.ok(!told.includes(text), text)
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
