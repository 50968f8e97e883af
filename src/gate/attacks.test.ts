import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { admissionReview, pod } from '#testing/gate/gate-bench'
import { MUTATE, VALIDATE, openGate, withImages } from '#testing/gate/signed-images'

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
    const bench = await openGate(t, { unstarted: true })
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
