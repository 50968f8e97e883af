import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { CodedError } from '#errors'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { json, type FakeAnswer, type SeenRequest } from '#testing/fake-fetch'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { HttpError } from '../http/http-error.js'
import { anonymousKeychain } from './authenticator.js'
import { createRegistryClient, orUndefined } from './client.js'
import type { Credentials } from './credentials.js'
import type { RegistryClient } from './registry.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const IMAGE = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: {}, layers: [] })
const DIGEST = digestOf(encodeUtf8(IMAGE))

function setUp(options: FakeRegistryOptions = {}): { registry: FakeRegistry; client: RegistryClient } {
  const registry = fakeRegistry(options)
  registry.put(APP.repository, MEDIA_TYPES.ociManifest, IMAGE, 'v1')
  const client = createRegistryClient({ fetch: registry.fetch, clock: () => 0, keychain: anonymousKeychain })
  return { registry, client }
}

function answering(path: RegExp, answer: FakeAnswer): FakeRegistryOptions {
  return { intercept: (request: SeenRequest) => (path.test(request.url.pathname) ? answer : undefined) }
}

test('a tag is resolved with one HEAD', async () => {
  const { registry, client } = setUp()
  const descriptor = await client.resolve(APP, 'v1')
  assert.deepEqual(descriptor, { mediaType: MEDIA_TYPES.ociManifest, digest: DIGEST, size: IMAGE.length })
  assert.deepEqual(registry.lines(), ['HEAD https://reg.example/v2/team/app/manifests/v1'])
})

for (const [name, headers] of [
  ['no digest', { 'content-type': MEDIA_TYPES.ociManifest, 'content-length': '1' }],
  ['no length', { 'content-type': MEDIA_TYPES.ociManifest, 'docker-content-digest': DIGEST }],
  ['a digest that is none', { 'content-type': 'x', 'content-length': '1', 'docker-content-digest': 'md5:00' }],
] as const) {
  test(`a HEAD with ${name} is followed by a GET`, async () => {
    const intercept = (request: SeenRequest): FakeAnswer | undefined =>
      request.method === 'HEAD' ? { status: 200, headers } : undefined
    const { registry, client } = setUp({ intercept })
    assert.equal((await client.resolve(APP, 'v1')).digest, DIGEST)
    assert.deepEqual(
      registry.requests.map(({ method }) => method),
      ['HEAD', 'GET'],
    )
  })
}

test('a HEAD that is not allowed is followed by a GET, whose reason is shown', async () => {
  const { client } = setUp(answering(/manifests/, json({ errors: [{ code: 'DENIED', message: 'no' }] }, 403)))
  await assert.rejects(client.resolve(APP, 'v1'), { code: 'REGISTRY_DENIED', found: 'status 403: DENIED: no' })
})

test('what is not there is told apart', async () => {
  const { client } = setUp()
  await assert.rejects(client.resolve(APP, 'v2'), { code: 'REGISTRY_NOT_FOUND' })
  await assert.rejects(client.manifest(APP, digestOf(encodeUtf8('x'))), { code: 'REGISTRY_NOT_FOUND' })
})

test('what is not there is told apart by its code, whichever chunk it comes from', async () => {
  class RegistryErrorOfAnotherChunk extends CodedError {}
  const absent = new RegistryErrorOfAnotherChunk('REGISTRY_NOT_FOUND', 'no')
  assert.equal(await orUndefined<string>(Promise.reject(absent)), undefined)
  await assert.rejects(orUndefined(Promise.reject(new RegistryErrorOfAnotherChunk('REGISTRY_DENIED', 'no'))), {
    code: 'REGISTRY_DENIED',
  })
})

test('a manifest is fetched once by digest, and every time by tag', async () => {
  const { registry, client } = setUp()
  await Promise.all([client.manifest(APP, DIGEST), client.manifest(APP, DIGEST)])
  await client.manifest(APP, DIGEST)
  assert.equal(registry.requests.length, 1)
  await client.manifest(APP, 'v1')
  await client.manifest(APP, 'v1')
  assert.equal(registry.requests.length, 3)
})

test('a failed fetch is not remembered', async () => {
  let fails = true
  const { client } = setUp({ intercept: () => (fails ? { status: 500 } : undefined) })
  await assert.rejects(client.manifest(APP, DIGEST), { code: 'REGISTRY_UNAVAILABLE' })
  fails = false
  assert.equal((await client.manifest(APP, DIGEST)).digest, DIGEST)
})

test('another manifest than asked for by digest is refused', async () => {
  const { client } = setUp(answering(/manifests/, { body: '{}', headers: { 'docker-content-digest': DIGEST } }))
  await assert.rejects(client.manifest(APP, DIGEST), { code: 'REGISTRY_DIGEST' })
})

test('a registry that lies about a tag’s digest is caught', async () => {
  const { client } = setUp(answering(/manifests/, { body: '{}', headers: { 'docker-content-digest': DIGEST } }))
  await assert.rejects(client.manifest(APP, 'v1'), { code: 'REGISTRY_DIGEST' })
})

test('a HEAD by digest that answers with another digest is refused', async () => {
  const headers = { 'content-type': 'x', 'content-length': '1', 'docker-content-digest': digestOf(encodeUtf8('other')) }
  const { client } = setUp(answering(/manifests/, { headers }))
  await assert.rejects(client.resolve(APP, DIGEST), { code: 'REGISTRY_DIGEST' })
})

test('a truncated manifest is refused', async () => {
  const { client } = setUp(
    answering(/manifests/, { body: IMAGE.slice(1), headers: { 'content-length': String(IMAGE.length) } }),
  )
  await assert.rejects(client.manifest(APP, DIGEST), { code: 'HTTP_TRUNCATED' })
})

for (const digest of ['sha256:', 'sha256:00', `sha256:${'A'.repeat(64)}`, `md5:${'0'.repeat(32)}`, 'sha256:../../x']) {
  test(`the digest ${digest.slice(0, 20)} never gets into a request`, async () => {
    const { registry, client } = setUp()
    await assert.rejects(client.manifest(APP, digest), { code: 'OCI_DIGEST' })
    await assert.rejects(client.blob(APP, { digest, size: 1 }, 10), { code: 'OCI_DIGEST' })
    await assert.rejects(client.referrers(APP, digest), { code: 'OCI_DIGEST' })
    assert.equal(registry.requests.length, 0)
  })
}

const STATUS_CODES = [
  [401, 'REGISTRY_UNAUTHORIZED'],
  [403, 'REGISTRY_DENIED'],
  [429, 'REGISTRY_RATE_LIMITED'],
  [500, 'REGISTRY_UNAVAILABLE'],
  [503, 'REGISTRY_UNAVAILABLE'],
  [418, 'REGISTRY_REFUSED'],
] as const
for (const [status, code] of STATUS_CODES) {
  test(`status ${String(status)} is ${code}`, async () => {
    const { client } = setUp({ intercept: () => ({ status }) })
    await assert.rejects(client.manifest(APP, 'v1'), { code })
    await assert.rejects(client.blob(APP, { digest: DIGEST, size: 1 }, 10), { code })
    await assert.rejects(client.pushBlob(APP, new Uint8Array(1), 'x'), { code })
    const outgoing = { mediaType: 'x', bytes: new Uint8Array(1) }
    await assert.rejects(client.pushManifest(APP, 'v1', outgoing), { code })
    await assert.rejects(client.deleteManifest(APP, 'v1'), { code })
    await assert.rejects(client.tags(APP), { code })
  })
}

test('blobs are checked, bounded and streamed', async () => {
  const { registry, client } = setUp()
  const digest = registry.putBlob(APP.repository, 'hello')
  assert.equal(new TextDecoder().decode(await client.blob(APP, { digest, size: 5 }, 5)), 'hello')
  const pieces: Uint8Array[] = []
  for await (const piece of client.openBlob(APP, { digest, size: 5 })) pieces.push(piece)
  assert.equal(Buffer.concat(pieces).toString(), 'hello')
  await assert.rejects(client.blob(APP, { digest, size: 5 }, 4), { code: 'REGISTRY_TOO_LARGE' })
  await assert.rejects(client.blob(APP, { digest, size: 4 }, 4), { code: 'REGISTRY_TOO_LARGE' })
})

test('a blob that grew is refused even if its length was not declared', async () => {
  const digest = digestOf(encodeUtf8('hello'))
  const { client } = setUp(answering(/blobs/, { body: 'hello, world' }))
  await assert.rejects(client.blob(APP, { digest, size: 5 }, 100), { code: 'HTTP_TOO_LARGE' })
})

test('another blob of the same size is refused, and its last piece is held back', async () => {
  const digest = digestOf(encodeUtf8('hello'))
  const { client } = setUp(answering(/blobs/, { body: 'jello' }))
  await assert.rejects(client.blob(APP, { digest, size: 5 }, 100), { code: 'REGISTRY_DIGEST' })
  const seen: string[] = []
  await assert.rejects(
    async () => {
      for await (const piece of client.openBlob(APP, { digest, size: 5 })) seen.push(Buffer.from(piece).toString())
    },
    { code: 'REGISTRY_DIGEST' },
  )
  assert.notEqual(seen.join(''), 'jello')
})

test('a blob is uploaded once', async () => {
  const { registry, client } = setUp()
  const descriptor = await client.pushBlob(APP, encodeUtf8('new'), 'text/plain')
  assert.deepEqual(descriptor, { mediaType: 'text/plain', digest: digestOf(encodeUtf8('new')), size: 3 })
  assert.deepEqual(
    registry.requests.map(({ method }) => method),
    ['HEAD', 'POST', 'PUT'],
  )
  await client.pushBlob(APP, encodeUtf8('new'), 'text/plain')
  assert.equal(registry.requests.length, 4)
})

async function* inPieces(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  for (const letter of text) yield await Promise.resolve(encodeUtf8(letter))
}

test('a blob is uploaded as it comes, with its size', async () => {
  const { registry, client } = setUp()
  const descriptor = { digest: digestOf(encodeUtf8('hello')), size: 5 }
  await client.uploadBlob(APP, descriptor, () => inPieces('hello'))
  const last = registry.requests.at(-1)
  assert.deepEqual([last?.method, last?.headers['content-length']], ['PUT', '5'])
  assert.equal(Buffer.from(registry.blobs.get(`team/app@${descriptor.digest}`) ?? []).toString(), 'hello')
})

test('an upload whose login has run out in the middle is sent again from the start', async () => {
  let puts = 0
  const intercept = (request: SeenRequest): FakeAnswer | undefined => {
    if (request.method !== 'PUT' || puts++ > 0) return undefined
    return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
  }
  const registry = fakeRegistry({ intercept })
  const keychain = (): Promise<Credentials> => Promise.resolve({ kind: 'basic', username: 'u', password: 'p' })
  const client = createRegistryClient({ fetch: registry.fetch, clock: () => 0, keychain })
  const descriptor = { digest: digestOf(encodeUtf8('hello')), size: 5 }
  await client.uploadBlob(APP, descriptor, () => inPieces('hello'))
  assert.equal(puts, 2)
  assert.ok(registry.blobs.has(`team/app@${descriptor.digest}`))
})

test('an upload of something else, or that breaks off, stores nothing', async () => {
  const { registry, client } = setUp()
  const descriptor = { digest: digestOf(encodeUtf8('hello')), size: 5 }
  await assert.rejects(
    client.uploadBlob(APP, descriptor, () => inPieces('jello')),
    { code: 'REGISTRY_REFUSED' },
  )
  const broken = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield* inPieces('hell')
    throw new HttpError('HTTP_TRUNCATED', 'cut off')
  }
  await assert.rejects(client.uploadBlob(APP, descriptor, broken), { code: 'HTTP_TRUNCATED' })
  assert.equal(registry.blobs.size, 0)
})

for (const size of [4, 6]) {
  test(`a blob that is said to have ${String(size)} bytes instead of 5 is refused`, async () => {
    const { registry, client } = setUp()
    const digest = registry.putBlob(APP.repository, 'hello')
    await assert.rejects(
      async () => {
        for await (const piece of client.openBlob(APP, { digest, size })) assert.ok(piece.length < 5)
      },
      { code: 'REGISTRY_DIGEST' },
    )
  })
}

for (const location of ['', '/v2/other/blobs/uploads/1', 'ftp://x/', '/etc']) {
  test(`an upload that goes on at "${location}" is refused`, async () => {
    const { client } = setUp(answering(/uploads/, { status: 202, headers: { location } }))
    await assert.rejects(client.pushBlob(APP, new Uint8Array(3), 'x'), { code: 'REGISTRY_RESPONSE' })
  })
}

test('a mount is taken where offered, and never tried across registries', async () => {
  const { registry, client } = setUp()
  const digest = registry.putBlob('team/base', 'layer')
  assert.equal(await client.mountBlob(APP, digest, { registry: 'reg.example', repository: 'team/base' }), true)
  assert.equal(
    await client.mountBlob(APP, digestOf(encodeUtf8('x')), { registry: 'reg.example', repository: 'b' }),
    false,
  )
  const before = registry.requests.length
  assert.equal(await client.mountBlob(APP, digest, { registry: 'other.example', repository: 'team/base' }), false)
  assert.equal(registry.requests.length, before)
})

test('a conditional write fails when somebody was faster', async () => {
  const { client } = setUp({ etags: true })
  const { etag } = await client.manifest(APP, 'v1')
  const change = { mediaType: MEDIA_TYPES.ociIndex, bytes: encodeUtf8('{"manifests":[]}') }
  await client.pushManifest(APP, 'v1', { ...change, ifMatch: etag })
  await assert.rejects(client.pushManifest(APP, 'v1', { ...change, ifMatch: etag }), { code: 'REGISTRY_CONFLICT' })
})

test('a registry that stored something else than was sent is caught', async () => {
  const { client } = setUp({ intercept: () => ({ status: 201, headers: { 'docker-content-digest': DIGEST } }) })
  const outgoing = { mediaType: 'x', bytes: encodeUtf8('other') }
  await assert.rejects(client.pushManifest(APP, 'v1', outgoing), { code: 'REGISTRY_DIGEST' })
})

test('deleting what is gone is no error', async () => {
  await setUp().client.deleteManifest(APP, 'v7')
})

test('plain HTTP is for loopback, or by leave', async () => {
  const { registry, client } = setUp()
  await client.resolve({ registry: 'localhost:5000', repository: 'team/app' }, 'v1')
  await client.resolve({ registry: '127.0.0.1:5000', repository: 'team/app' }, 'v1')
  await client.resolve({ registry: '[::1]:5000', repository: 'team/app' }, 'v1')
  await client.resolve({ registry: '10.0.0.1:5000', repository: 'team/app' }, 'v1')
  assert.deepEqual(
    registry.requests.map(({ url }) => url.protocol),
    ['http:', 'http:', 'http:', 'https:'],
  )
})

test('an upload goes on at the registry over TLS though its proxy says http, and elsewhere without the login', async () => {
  for (const [host, expected] of [
    ['http://reg.example', 'https://reg.example'],
    ['https://storage.example', 'https://storage.example'],
  ] as const) {
    const intercept = (request: SeenRequest): FakeAnswer | undefined => {
      if (request.method === 'POST')
        return { status: 202, headers: { location: `${host}/v2/team/app/blobs/uploads/9?s=1` } }
      return request.method === 'PUT' ? { status: 201 } : undefined
    }
    const registry = fakeRegistry({ intercept })
    const keychain = (): Promise<Credentials> => Promise.resolve({ kind: 'registry-token', token: 'secret' })
    const client = createRegistryClient({ fetch: registry.fetch, clock: () => 0, keychain })
    await client.pushBlob(APP, encodeUtf8('x'), 'text/plain')
    const last = registry.requests.at(-1)
    assert.equal(last?.url.origin, expected)
    assert.equal(last.headers['authorization'], host.includes('storage') ? undefined : 'Bearer secret')
  }
})

test('a host that speaks TLS is not said to be out of reach', async () => {
  for (const [found, told] of [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'HTTP_TLS'],
    ['EPROTO', 'HTTP_RESET'],
  ] as const) {
    const client = createRegistryClient({
      fetch: async (url) => {
        const plain = url.startsWith('http:')
        throw new HttpError(plain ? 'HTTP_RESET' : 'HTTP_TLS', 'no', { found: plain ? 'ECONNRESET' : found })
      },
      clock: () => 0,
      keychain: anonymousKeychain,
    })
    await assert.rejects(client.resolve({ registry: 'localhost:5000', repository: 'app' }, 'v1'), { code: told })
  }
})
