import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { referrersTag } from '#formats/oci/tags'
import type { FakeAnswer, SeenRequest } from '#testing/fake-fetch'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { anonymousKeychain } from './authenticator.js'
import { createRegistryClient } from './client.js'
import type { RegistryClient } from './registry.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const SUBJECT = digestOf(encodeUtf8('subject'))
const ONE = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(encodeUtf8('1')), size: 1 }
const TWO = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(encodeUtf8('2')), size: 1 }

function setUp(options: FakeRegistryOptions): { registry: FakeRegistry; client: RegistryClient } {
  const registry = fakeRegistry(options)
  const client = createRegistryClient({ fetch: registry.fetch, clock: () => 0, keychain: anonymousKeychain })
  return { registry, client }
}

function index(...manifests: readonly unknown[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })
}

function page(next: string | undefined, ...manifests: readonly unknown[]): FakeAnswer {
  const link = next === undefined ? {} : { link: `<${next}>; rel="next"` }
  return { headers: { 'content-type': MEDIA_TYPES.ociIndex, ...link }, body: index(...manifests) }
}

function onReferrers(respond: (request: SeenRequest) => FakeAnswer): FakeRegistryOptions {
  return { intercept: (request) => (request.url.pathname.includes('/referrers/') ? respond(request) : undefined) }
}

async function digests(client: RegistryClient): Promise<readonly string[]> {
  return (await client.referrers(APP, SUBJECT)).descriptors.map(({ digest }) => digest)
}

test('all pages are read', async () => {
  const next = `/v2/team/app/referrers/${SUBJECT}?n=1&last=x`
  const { client, registry } = setUp(
    onReferrers(({ url }) => (url.search === '' ? page(next, ONE) : page(undefined, TWO))),
  )
  assert.deepEqual(await digests(client), [ONE.digest, TWO.digest])
  assert.equal(registry.requests.length, 2)
})

test('a list that has no end is given up, not cut short', async () => {
  const { client, registry } = setUp(onReferrers(() => page(`/v2/team/app/referrers/${SUBJECT}`)))
  await assert.rejects(digests(client), { code: 'REGISTRY_TOO_LARGE' })
  assert.equal(registry.requests.length, 100)
})

for (const next of [
  'https://evil.example/v2/team/app/referrers/x',
  '/v2/other/app/referrers/x',
  '/v2/team/app/../../x',
]) {
  test(`a list does not go on at ${next}`, async () => {
    const { client } = setUp(onReferrers(() => page(next, ONE)))
    await assert.rejects(digests(client), { code: 'REGISTRY_RESPONSE' })
  })
}

for (const answer of [
  { status: 404 },
  { status: 400 },
  { status: 406 },
  { status: 405 },
  { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
  { status: 200, headers: { 'content-type': 'application/json' }, body: index(ONE) },
] as const) {
  test(`status ${String(answer.status)} with ${JSON.stringify('headers' in answer ? answer.headers : {})} means the tag`, async () => {
    const { client, registry } = setUp(onReferrers(() => answer))
    registry.put(APP.repository, MEDIA_TYPES.ociIndex, index(TWO), referrersTag(SUBJECT))
    const { source, descriptors } = await client.referrers(APP, SUBJECT)
    assert.deepEqual([source, descriptors.map(({ digest }) => digest)], ['tag', [TWO.digest]])
    await client.referrers(APP, SUBJECT)
    assert.equal(registry.lines().filter((line) => line.includes('/referrers/')).length, 1, 'the API is asked for once')
  })
}

for (const status of [401, 403, 429, 500, 503]) {
  test(`status ${String(status)} does not mean that there are no referrers`, async () => {
    const { client } = setUp(onReferrers(() => ({ status })))
    await assert.rejects(digests(client))
  })
}

test('no tag is no referrers', async () => {
  const { client } = setUp({ referrersApi: false })
  assert.deepEqual(await digests(client), [])
})

test('a tag that answers with the subject itself is no list', async () => {
  const { client, registry } = setUp({ referrersApi: false })
  const subject = registry.put(APP.repository, MEDIA_TYPES.ociIndex, index(ONE, TWO))
  registry.put(APP.repository, MEDIA_TYPES.ociIndex, index(ONE, TWO), referrersTag(subject))
  assert.deepEqual((await client.referrers(APP, subject)).descriptors, [])
})

for (const [what, mediaType, content] of [
  ['an image', MEDIA_TYPES.ociManifest, JSON.stringify({ schemaVersion: 2, config: ONE, layers: [TWO] })],
  ['something else', 'text/plain', 'hello'],
  ['broken JSON', MEDIA_TYPES.ociIndex, '{"manifests":['],
  ['broken descriptors', MEDIA_TYPES.ociIndex, index({ digest: 'x' })],
] as const) {
  test(`a tag with ${what} is no list`, async () => {
    const { client, registry } = setUp({ referrersApi: false })
    registry.put(APP.repository, mediaType, content, referrersTag(SUBJECT))
    assert.deepEqual(await digests(client), [])
  })
}

for (const body of ['{', '[]', index({ digest: 'x' }), '']) {
  test(`the API’s answer ${body.slice(0, 20)} is an error, not an empty list`, async () => {
    const { client } = setUp(onReferrers(() => ({ headers: { 'content-type': MEDIA_TYPES.ociIndex }, body })))
    await assert.rejects(digests(client), { code: 'REGISTRY_RESPONSE' })
  })
}
