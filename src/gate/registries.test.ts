import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { FetchResponse } from '#clients/http/fetch'
import type { JsonObject } from '#encoding/json'
import { pod } from '#testing/gate/gate-bench'
import { answer, withMeddling, type Meddling } from '#testing/gate/meddling'
import { ISSUER, MUTATE, VALIDATE, withImages } from '#testing/gate/signed-images'

describe('registries that misbehave', () => {
  const NO_SIGNATURE = /no signatures found/

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
      const { review, signed, meddle } = await withMeddling(t)
      meddle.current = (url) => (url.pathname.includes('/blobs/') ? undefined : make())
      const denied = await review(VALIDATE, pod(signed))
      assert.equal(denied.allowed, false)
      meddle.current = () => undefined
      // An error on the way is no answer about the image, and is not remembered as one.
      assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
    })
  }

  test('a page of HTML in the place of a list is not believed for long', async (t) => {
    const { review, signed, meddle, time } = await withMeddling(t)
    meddle.current = (url) =>
      url.pathname.includes('/referrers/') ? answer(200, '<html>', { 'content-type': 'text/html' }) : undefined
    assert.equal((await review(VALIDATE, pod(signed))).allowed, false)
    meddle.current = () => undefined
    await time.advance(61_000)
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
  })

  test('other bytes than their digest says', async (t) => {
    const { review, signed, meddle } = await withMeddling(t)
    meddle.current = (url) => (url.pathname.includes('/blobs/') ? answer(200, '{"forged":true}') : undefined)
    const denied = await review(VALIDATE, pod(signed))
    assert.equal(denied.allowed, false)
    meddle.current = () => undefined
    assert.equal((await review(VALIDATE, pod(signed))).allowed, true)
  })

  test('a tag that is said to be another digest: what runs is what was verified', async (t) => {
    const { review, signed, bare, meddle } = await withMeddling(t)
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
    const { review, signed, meddle, time } = await withMeddling(t)
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
    const { review, signed, meddle, time, images, apply } = await withMeddling(t)
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

describe('whose registry logins', () => {
  const LOGIN = `Basic ${Buffer.from('team-a:secret').toString('base64')}`

  /** A registry that lets only those in who have team A's login. */
  const locked: Meddling = (_, init) =>
    init?.headers?.['authorization'] === LOGIN ? undefined : answer(401, '', { 'www-authenticate': 'Basic realm="x"' })

  async function tenants(t: TestContext) {
    const bench = await withMeddling(t)
    const config = { auths: { 'ghcr.io': { auth: Buffer.from('team-a:secret').toString('base64') } } }
    const data = { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') }
    const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', data }
    await bench.apply({ ...secret, metadata: { name: 'pull', namespace: 'team-a' } })
    bench.meddle.current = locked
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
