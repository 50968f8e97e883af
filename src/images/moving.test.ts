import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRegistryClient, orUndefined } from '#clients/registry/client'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import type { Descriptor } from '#formats/oci/descriptor'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { attachmentTag, referrersTag } from '#formats/oci/tags'
import type { SignedEntity } from '#formats/signed-entity'
import type { FakeAnswer, SeenRequest } from '#testing/fake-fetch'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { fakeTimers } from '#testing/fake-timers'
import { memoryLayout, type MemoryLayout } from '#testing/memory-layout'
import { attachBundle } from './attach-bundle.js'
import { attachLayer } from './attach-layer.js'
import { collectImage, type CollectOptions, type ImageCollection } from './collect.js'
import { checkFree, deliverImage, type Destination } from './deliver.js'
import { findAttachments } from './find.js'
import { layerFromSignature } from './legacy-layer.js'
import { openLayout, soleImage } from './oci-layout.js'
import { saveImage } from './save.js'
import type { AttachmentWriter } from './store.js'
import type { Transfer } from './transfer.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const COPY = { registry: 'other.example', repository: 'moved/app' }
const SPDX = 'https://spdx.dev/Document'
const QUIET: Transfer = {
  expect: () => undefined,
  moved: () => undefined,
  arrived: () => undefined,
  present: () => undefined,
}

interface Bench {
  readonly registry: FakeRegistry
  readonly writer: AttachmentWriter
}

function setUp(options: FakeRegistryOptions = {}): Bench {
  const registry = fakeRegistry(options)
  const time = fakeTimers()
  time.autoAdvance()
  let seed = 0
  const content = createRegistryClient({ fetch: registry.fetch, clock: time.clock, keychain: anonymousKeychain })
  const writer = { content, clock: time.clock, timers: time.timers, random: () => (seed = (seed + 0.37) % 1) }
  return { registry, writer }
}

function putImage({ registry }: Bench, name: string, tag?: string): Descriptor {
  const blob = (text: string, mediaType: string): Descriptor => ({
    mediaType,
    size: text.length,
    digest: registry.putBlob(APP.repository, text),
  })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: blob(`{"name":"${name}"}`, MEDIA_TYPES.ociConfig),
    layers: [blob(`layer of ${name}`, MEDIA_TYPES.ociLayer), blob('a layer that all have', MEDIA_TYPES.ociLayer)],
  })
  const digest = registry.put(APP.repository, MEDIA_TYPES.ociManifest, manifest, tag)
  return { mediaType: MEDIA_TYPES.ociManifest, digest, size: manifest.length }
}

function putIndex({ registry }: Bench, manifests: readonly Descriptor[], tag?: string): Descriptor {
  const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })
  const digest = registry.put(APP.repository, MEDIA_TYPES.ociIndex, index, tag)
  return { mediaType: MEDIA_TYPES.ociIndex, digest, size: index.length }
}

function dsse(name: string): SignedEntity {
  const signatures = [{ keyId: '', signature: encodeUtf8(name) }]
  const envelope = { payloadType: 'application/vnd.in-toto+json', payload: encodeUtf8(name), signatures }
  return { content: { kind: 'dsse', envelope }, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
}

async function attach({ writer }: Bench, subject: Descriptor, name: string, type = SIGN_PREDICATE_TYPE): Promise<void> {
  const bundle = encodeUtf8(serializeBundle(dsse(name)))
  await attachBundle(writer, { repository: APP, subject, bundle, content: 'dsse-envelope', predicateType: type })
}

async function attachTagged({ writer }: Bench, digest: string, name: string, repository = APP): Promise<void> {
  const content = { kind: 'message-signature' as const, signature: encodeUtf8(name) }
  const layer = layerFromSignature({ ...dsse(name), content }, encodeUtf8('payload'))
  await attachLayer(writer, { repository, digest, tag: 'sig', layer })
}

async function signatures({ writer }: Bench, digest: string, repository = COPY): Promise<readonly string[]> {
  const { attachments } = await findAttachments(writer, { repository, digest, kind: 'signature' })
  return attachments
    .map(({ entity: { content } }) =>
      decodeUtf8(content.kind === 'dsse' ? content.envelope.payload : content.signature),
    )
    .sort()
}

async function collect({ writer }: Bench, descriptor: Descriptor, options?: CollectOptions): Promise<ImageCollection> {
  return await collectImage(writer, { repository: APP, descriptor }, options)
}

async function save(bench: Bench, image: Descriptor, store: MemoryLayout): Promise<void> {
  await saveImage(store, await collect(bench, image), { tag: 'v1', transfer: QUIET })
}

async function load(bench: Bench, store: MemoryLayout): Promise<void> {
  const content = await openLayout(store)
  const descriptor = await soleImage(store)
  const nowhere = { registry: '', repository: '' }
  await deliverImage(to(bench), await collectImage({ content }, { repository: nowhere, descriptor }), QUIET)
}

function to({ writer }: Bench, repository = COPY, tag = 'v1'): Destination {
  const name = { kind: 'tag' as const, ...repository, tag }
  return { writer, places: { image: repository, attachments: repository }, name }
}

function path(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function intercepting(pattern: RegExp, answer: (request: SeenRequest) => FakeAnswer | undefined): FakeRegistryOptions {
  return {
    intercept: (request) => (pattern.test(`${request.method} ${request.url.pathname}`) ? answer(request) : undefined),
  }
}

function written({ registry }: Bench): readonly string[] {
  return registry.requests.flatMap(({ method, url }) => (method === 'PUT' ? [url.pathname] : []))
}

for (const referrersApi of [true, false]) {
  describe(`a registry ${referrersApi ? 'with' : 'without'} the referrers API`, () => {
    test('saved and loaded, everything is there: platforms, both layouts, what is attached to what is attached', async () => {
      const bench = setUp({ referrersApi })
      const [amd, arm] = [putImage(bench, 'amd64'), putImage(bench, 'arm64')]
      const index = putIndex(bench, [amd, arm], 'v1')
      await attach(bench, index, 'index')
      await attachTagged(bench, index.digest, 'index by tag')
      await attach(bench, arm, 'arm64')
      await attachTagged(bench, amd.digest, 'amd64 by tag')
      await attach(bench, index, 'sbom', SPDX)
      const { descriptors } = await bench.writer.content.referrers(APP, index.digest)
      const sbom = descriptors.find(({ annotations }) => Object.values(annotations ?? {}).includes(SPDX))
      assert.ok(sbom !== undefined)
      await attach(bench, sbom, 'signed sbom')
      const store = memoryLayout()
      await save(bench, index, store)
      await load(bench, store)
      assert.deepEqual(await signatures(bench, index.digest), ['index', 'index by tag'])
      assert.deepEqual(await signatures(bench, arm.digest), ['arm64'])
      assert.deepEqual(await signatures(bench, amd.digest), ['amd64 by tag'])
      assert.deepEqual(await signatures(bench, sbom.digest), ['signed sbom'])
      assert.equal((await bench.writer.content.resolve(COPY, 'v1')).digest, index.digest)
      for (const key of [...bench.registry.blobs.keys()].filter((each) => each.startsWith('team/')))
        assert.ok(bench.registry.blobs.has(key.replace('team/', 'moved/')), key)
    })

    test('signatures that are there stay, beside those that come', async () => {
      const bench = setUp({ referrersApi })
      const image = putImage(bench, 'one', 'v1')
      await attach(bench, image, 'mine')
      await attachTagged(bench, image.digest, 'mine by tag')
      await deliverImage(to(bench), await collect(bench, image), QUIET)
      const bundle = encodeUtf8(serializeBundle(dsse('theirs')))
      await attachBundle(bench.writer, { repository: COPY, subject: image, bundle, content: 'dsse-envelope' })
      await attachTagged(bench, image.digest, 'theirs by tag', COPY)
      await attachTagged(bench, image.digest, 'mine again')
      await deliverImage(to(bench), await collect(bench, image), QUIET)
      assert.deepEqual(await signatures(bench, image.digest), [
        'mine',
        'mine again',
        'mine by tag',
        'theirs',
        'theirs by tag',
      ])
    })
  })
}

describe('saving', () => {
  test('the index is written last, and what is there is not fetched again', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    await attach(bench, image, 'signature')
    const store = memoryLayout()
    await save(bench, image, store)
    assert.equal(store.written.at(-1), 'index.json')
    const before = bench.registry.requests.length
    await save(bench, image, store)
    const fetched = bench.registry.requests.slice(before).filter(({ url }) => url.pathname.includes('/blobs/'))
    assert.deepEqual(fetched, [])
  })

  test('what was cut short or changed on disk is fetched again', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    const store = memoryLayout()
    await save(bench, image, store)
    const layer = digestOf(encodeUtf8('layer of one'))
    for (const damage of ['layer', 'layer of two']) {
      store.files.set(path(layer), encodeUtf8(damage))
      await save(bench, image, store)
      assert.equal(decodeUtf8(store.files.get(path(layer)) ?? new Uint8Array()), 'layer of one')
    }
  })

  const LAYER = digestOf(encodeUtf8('layer of one'))
  for (const [what, answer, code] of [
    ['sends something else', { body: 'layer of two' }, 'REGISTRY_DIGEST'],
    ['sends more', { body: 'layer of one and more' }, 'REGISTRY_DIGEST'],
    ['sends less', { body: 'layer of' }, 'REGISTRY_DIGEST'],
    ['has lost it', { status: 404 }, 'REGISTRY_NOT_FOUND'],
    ['is down', { status: 500 }, 'REGISTRY_UNAVAILABLE'],
    ['wants a login', { status: 403 }, 'REGISTRY_DENIED'],
  ] as const) {
    test(`of a registry that ${what}, nothing is left, and the folder is what it was`, async () => {
      const bench = setUp(intercepting(new RegExp(`GET .*/blobs/${LAYER}`), () => answer))
      const store = memoryLayout({ 'index.json': 'as it was' })
      await assert.rejects(save(bench, putImage(bench, 'one', 'v1'), store), { code })
      assert.equal(store.files.has(path(LAYER)), false)
      assert.equal(decodeUtf8(store.files.get('index.json') ?? new Uint8Array()), 'as it was')
      assert.equal(store.files.has('oci-layout'), false)
    })
  }

  test('a layout of another version is not written into', async () => {
    const bench = setUp()
    const store = memoryLayout({ 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' })
    await assert.rejects(save(bench, putImage(bench, 'one', 'v1'), store), { code: 'IMAGES_LAYOUT' })
    assert.deepEqual(store.written, [])
  })

  test('nothing attached can pose as the image, whatever its annotations say', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    const evil = { kind: 'dev.cosignproject.cosign/image', 'org.opencontainers.image.ref.name': 'v1' }
    const config = { mediaType: MEDIA_TYPES.ociEmpty, size: 2, digest: bench.registry.putBlob(APP.repository, '{}') }
    const referrer = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config,
      layers: [],
      subject: image,
      annotations: evil,
    }
    bench.registry.put(APP.repository, MEDIA_TYPES.ociManifest, JSON.stringify(referrer))
    const store = memoryLayout()
    await save(bench, image, store)
    assert.equal((await soleImage(store)).digest, image.digest)
    const index = JSON.parse(decodeUtf8(store.files.get('index.json') ?? new Uint8Array())) as {
      manifests: readonly { digest: string; annotations: Readonly<Record<string, string>> }[]
    }
    assert.equal(index.manifests.length, 2)
    for (const { digest, annotations } of index.manifests)
      assert.equal(annotations['kind'] === evil.kind, digest === image.digest, digest)
  })

  test('layers that may not be passed on are left out', async () => {
    const bench = setUp()
    const config = { mediaType: MEDIA_TYPES.ociConfig, size: 2, digest: bench.registry.putBlob(APP.repository, '{}') }
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      size: 7,
      digest: digestOf(encodeUtf8('windows')),
      urls: ['https://example.com/windows'],
    }
    const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [foreign] }
    const digest = bench.registry.put(APP.repository, MEDIA_TYPES.ociManifest, JSON.stringify(manifest))
    const store = memoryLayout()
    await save(bench, { mediaType: MEDIA_TYPES.ociManifest, digest, size: JSON.stringify(manifest).length }, store)
    assert.equal(store.files.has(path(foreign.digest)), false)
  })
})

describe('loading', () => {
  async function saved(): Promise<{ readonly bench: Bench; readonly image: Descriptor; readonly store: MemoryLayout }> {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    await attach(bench, image, 'signature')
    const store = memoryLayout()
    await save(bench, image, store)
    return { bench, image, store }
  }

  test('from a folder in which a layer was changed, nothing becomes an image', async () => {
    const { bench, image, store } = await saved()
    store.files.set(path(digestOf(encodeUtf8('layer of one'))), encodeUtf8('layer of two'))
    await assert.rejects(load(bench, store), { code: 'REGISTRY_DIGEST' })
    assert.deepEqual(
      [...bench.registry.manifests.keys()].filter((key) => key.startsWith('moved/')),
      [],
    )
    assert.equal(bench.registry.blobs.has(`moved/app@${digestOf(encodeUtf8('layer of one'))}`), false)
    assert.equal(await orUndefined(bench.writer.content.resolve(COPY, image.digest)), undefined)
  })

  for (const [what, change] of [
    ['a layer is missing', (store: MemoryLayout) => store.files.delete(path(digestOf(encodeUtf8('layer of one'))))],
    ['the image is missing', (store: MemoryLayout, digest: string) => store.files.delete(path(digest))],
  ] as const) {
    test(`from a folder in which ${what}, nothing becomes an image`, async () => {
      const { bench, image, store } = await saved()
      change(store, image.digest)
      await assert.rejects(load(bench, store), { code: 'REGISTRY_NOT_FOUND' })
      assert.deepEqual(
        [...bench.registry.manifests.keys()].filter((key) => key.startsWith('moved/')),
        [],
      )
    })
  }

  test('an image that was changed in the folder is refused', async () => {
    const { bench, image, store } = await saved()
    const bytes = store.files.get(path(image.digest)) ?? new Uint8Array()
    store.files.set(path(image.digest), encodeUtf8(`${decodeUtf8(bytes)} `))
    await assert.rejects(load(bench, store), { code: 'REGISTRY_DIGEST' })
  })

  test('one list of signatures without a name is that of the image, and not of its platforms', async () => {
    const bench = setUp()
    const [amd, arm] = [putImage(bench, 'amd64'), putImage(bench, 'arm64')]
    const index = putIndex(bench, [amd, arm], 'v1')
    await attachTagged(bench, index.digest, 'index')
    const store = memoryLayout()
    await save(bench, index, store)
    const text = decodeUtf8(store.files.get('index.json') ?? new Uint8Array())
    // As cosign writes it.
    const anonymous = text.replaceAll(/,"org\.opencontainers\.image\.ref\.name":"[^"]*"/g, '')
    assert.notEqual(anonymous, text)
    store.files.set('index.json', encodeUtf8(anonymous))
    await load(bench, store)
    assert.deepEqual(await signatures(bench, index.digest), ['index'])
    assert.deepEqual(await signatures(bench, amd.digest), [])
  })
})

describe('delivering', () => {
  test('the tag comes last, and manifests after what they name', async () => {
    const bench = setUp({ referrersApi: false })
    const [amd, arm] = [putImage(bench, 'amd64'), putImage(bench, 'arm64')]
    const inner = putIndex(bench, [arm])
    const index = putIndex(bench, [amd, inner, arm], 'v1')
    await attach(bench, index, 'signature')
    const collection = await collect(bench, index)
    const before = written(bench).length
    await deliverImage(to(bench), collection, QUIET)
    const puts = written(bench).slice(before)
    assert.equal(puts.at(-1), '/v2/moved/app/manifests/v1')
    const place = (name: string): number => puts.findIndex((each) => each.endsWith(`/manifests/${name}`))
    assert.ok(place(arm.digest) < place(inner.digest))
    assert.ok(place(inner.digest) < place(index.digest))
    assert.ok(place(index.digest) < place(referrersTag(index.digest)))
    const lastBlob = puts.findLastIndex((each) => each.includes('/blobs/uploads/'))
    assert.ok(lastBlob < place(amd.digest), 'blobs before manifests')
  })

  test('what is there is not sent again', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    await attach(bench, image, 'signature')
    await deliverImage(to(bench), await collect(bench, image), QUIET)
    const before = bench.registry.requests.length
    const present: string[] = []
    const transfer = { ...QUIET, present: ({ digest }: Descriptor) => void present.push(digest) }
    const collection = await collect(bench, image)
    await deliverImage(to(bench), collection, transfer)
    const uploads = bench.registry.requests.slice(before).filter(({ url }) => url.pathname.includes('/uploads/'))
    assert.deepEqual(uploads, [])
    assert.equal(present.length, collection.blobs.length)
    const puts = bench.registry.requests.slice(before).filter(({ method }) => method === 'PUT')
    assert.ok(
      puts.every(({ url }) => !url.pathname.endsWith('/manifests/v1')),
      'the tag is not written again',
    )
  })

  test('within a registry blobs are taken over', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    await deliverImage(to(bench, { ...APP, repository: 'moved/app' }), await collect(bench, image), QUIET)
    const blobs = written(bench).filter((each) => each.includes('/blobs/'))
    assert.deepEqual(blobs, [])
  })

  for (const status of [202, 401, 403, 404, 405]) {
    test(`a registry that answers a mount with ${String(status)} gets the blobs sent`, async () => {
      const answer = ({ url }: SeenRequest): FakeAnswer | undefined => {
        if (!url.searchParams.has('mount')) return undefined
        return { status, headers: status === 202 ? { location: '/v2/moved/app/blobs/uploads/1' } : {} }
      }
      const bench = setUp(intercepting(/POST/, answer))
      const image = putImage(bench, 'one', 'v1')
      await deliverImage(to(bench, { ...APP, repository: 'moved/app' }), await collect(bench, image), QUIET)
      assert.ok(bench.registry.blobs.has(`moved/app@${digestOf(encodeUtf8('layer of one'))}`))
    })
  }

  test('of a source that lies about a blob, nothing becomes an image', async () => {
    const layer = digestOf(encodeUtf8('layer of one'))
    const bench = setUp(intercepting(new RegExp(`GET .*/blobs/${layer}`), () => ({ body: 'layer of two' })))
    const image = putImage(bench, 'one', 'v1')
    await assert.rejects(deliverImage(to(bench), await collect(bench, image), QUIET), { code: 'REGISTRY_DIGEST' })
    assert.deepEqual(
      written(bench).filter((each) => each.startsWith('/v2/moved/app/manifests/')),
      [],
    )
    assert.equal(bench.registry.blobs.has(`moved/app@${layer}`), false)
  })

  test('something else at the tag is in the way, and the same is not', async () => {
    const bench = setUp()
    const [one, two] = [putImage(bench, 'one', 'v1'), putImage(bench, 'two', 'v2')]
    await deliverImage(to(bench), await collect(bench, one), QUIET)
    await checkFree(to(bench), await collect(bench, one))
    await assert.rejects(checkFree(to(bench), await collect(bench, two)), { code: 'IMAGES_EXISTS' })
    await checkFree(to(bench, COPY, 'v2'), await collect(bench, two))
  })

  test('so is another SBOM at its tag', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    const tag = attachmentTag(image.digest, 'sbom')
    const sbom = (text: string): string => {
      const blob = { mediaType: 'text/spdx', size: text.length, digest: bench.registry.putBlob(APP.repository, text) }
      return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: blob, layers: [blob] })
    }
    bench.registry.put(APP.repository, MEDIA_TYPES.ociManifest, sbom('mine'), tag)
    bench.registry.put(COPY.repository, MEDIA_TYPES.ociManifest, sbom('theirs'), tag)
    const collection = await collect(bench, image)
    await assert.rejects(checkFree(to(bench, COPY, 'new'), collection), { code: 'IMAGES_EXISTS' })
    await deliverImage(to(bench), collection, QUIET)
    assert.equal(bench.registry.manifests.get(`moved/app:${tag}`)?.bytes.length, sbom('mine').length)
  })

  test('only what is attached, and of that only what is wanted', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    await attach(bench, image, 'signature')
    await attach(bench, image, 'sbom', SPDX)
    const wanted = ({ kind }: { readonly kind: string }): boolean => kind === 'signature'
    const { name: _, ...destination } = to(bench)
    const collection = await collect(bench, image, { withImage: false, wanted })
    assert.equal(collection.manifests.length, 1)
    await deliverImage(destination, collection, QUIET)
    assert.equal(await orUndefined(bench.writer.content.resolve(COPY, image.digest)), undefined)
    const { descriptors } = await bench.writer.content.referrers(COPY, image.digest)
    assert.equal(descriptors.length, 1)
  })
})

describe('collecting', () => {
  test('what is listed and not there, unreadable, or about something else, is left out and told of', async () => {
    const bench = setUp({ referrersApi: false })
    const [image, other] = [putImage(bench, 'one', 'v1'), putImage(bench, 'other')]
    await attach(bench, image, 'signature')
    const { descriptors } = await bench.writer.content.referrers(APP, image.digest)
    const strange = bench.registry.put(APP.repository, 'application/vnd.oci.artifact.manifest.v1+json', '{"blobs":[]}')
    const gone = digestOf(encodeUtf8('gone'))
    const list = [...descriptors, ...[other.digest, gone, strange].map((digest) => ({ ...other, digest }))]
    bench.registry.put(
      APP.repository,
      MEDIA_TYPES.ociIndex,
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: list }),
      referrersTag(image.digest),
    )
    const { skipped, manifests } = await collect(bench, image)
    assert.deepEqual(skipped.map(({ digest }) => digest).sort(), [other.digest, gone, strange].sort())
    assert.equal(manifests.filter(({ hold }) => hold !== undefined).length, 1)
  })

  test('indexes nested without end are refused', async () => {
    const bench = setUp()
    let index = putIndex(bench, [putImage(bench, 'one')])
    for (let depth = 0; depth < 6; depth++) index = putIndex(bench, [index])
    await assert.rejects(collect(bench, index), { code: 'IMAGES_LAYOUT' })
  })

  test('so are signatures on signatures without end', async () => {
    const bench = setUp()
    let subject = putImage(bench, 'one', 'v1')
    const image = subject
    for (let depth = 0; depth < 6; depth++) {
      await attach(bench, subject, String(depth))
      const [next] = (await bench.writer.content.referrers(APP, subject.digest)).descriptors
      assert.ok(next !== undefined)
      subject = next
    }
    await assert.rejects(collect(bench, image), { code: 'IMAGES_LAYOUT' })
  })

  test('what an index names and is no manifest comes along as a blob, with the index alone', async () => {
    const bench = setUp()
    const text = 'something else'
    const other = { mediaType: 'text/plain', size: text.length, digest: bench.registry.putBlob(APP.repository, text) }
    const index = putIndex(bench, [other, putImage(bench, 'one')], 'v1')
    await attach(bench, index, 'signature')
    await deliverImage(to(bench), await collect(bench, index), QUIET)
    assert.ok(bench.registry.blobs.has(`moved/app@${other.digest}`))
    const { blobs } = await collect(bench, index, { withImage: false })
    assert.deepEqual(
      blobs.filter(({ place }) => place === 'image'),
      [],
    )
  })

  test('a platform that the registry has lost is an error', async () => {
    const bench = setUp()
    const lost = { ...putImage(bench, 'one'), digest: digestOf(encodeUtf8('lost')) }
    await assert.rejects(collect(bench, putIndex(bench, [lost], 'v1')), { code: 'REGISTRY_NOT_FOUND' })
  })

  test('a list of referrers that cannot be had is an error: an image must not lose its signatures on the way', async () => {
    const bench = setUp(intercepting(/GET .*\/referrers\//, () => ({ status: 500 })))
    await assert.rejects(collect(bench, putImage(bench, 'one', 'v1')), { code: 'REGISTRY_UNAVAILABLE' })
  })

  test('a tag of signatures that holds an index is refused', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    putIndex(bench, [], attachmentTag(image.digest, 'sig'))
    await assert.rejects(collect(bench, image), { code: 'IMAGES_LAYOUT' })
  })

  test('attachments are looked for where they are', async () => {
    const bench = setUp()
    const image = putImage(bench, 'one', 'v1')
    const elsewhere = { ...APP, repository: 'signatures' }
    await attachTagged(bench, image.digest, 'elsewhere', elsewhere)
    const writer = { ...bench.writer, attachmentRepository: elsewhere }
    const collection = await collectImage(writer, { repository: APP, descriptor: image })
    await deliverImage(to(bench), collection, QUIET)
    assert.deepEqual(await signatures(bench, image.digest), ['elsewhere'])
  })
})
