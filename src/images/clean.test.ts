import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createRegistryClient, orUndefined } from '#clients/registry/client'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import type { Descriptor } from '#formats/oci/descriptor'
import { digestOf } from '#formats/oci/digest'
import { parseManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { attachmentTag, referrersTag, type AttachmentKind } from '#formats/oci/tags'
import type { SignedEntity } from '#formats/signed-entity'
import type { SeenRequest } from '#testing/fake-fetch'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { fakeTimers } from '#testing/fake-timers'
import { attachBundle } from './attach-bundle.js'
import { attachLayer } from './attach-layer.js'
import { attachLegacyReferrer } from './attach-legacy-referrer.js'
import { cleanImage, type CleanQuery, type CleanReport } from './clean.js'
import { layerFromAttestation, layerFromSignature } from './legacy-layer.js'
import type { AttachmentWriter } from './store.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const SPDX = 'https://spdx.dev/Document'

interface Bench {
  readonly registry: FakeRegistry
  readonly writer: AttachmentWriter
  readonly image: Descriptor
}

const LAYER: Descriptor = { mediaType: MEDIA_TYPES.ociLayer, size: 5, digest: digestOf(encodeUtf8('layer')) }

function setUp(options: FakeRegistryOptions = {}): Bench {
  const registry = fakeRegistry(options)
  const time = fakeTimers()
  time.autoAdvance()
  let seed = 0
  const content = createRegistryClient({ fetch: registry.fetch, clock: time.clock, keychain: anonymousKeychain })
  const writer = { content, clock: time.clock, timers: time.timers, random: () => (seed = (seed + 0.37) % 1) }
  return { registry, writer, image: putImage(registry, 'one', 'v1') }
}

function putImage(registry: FakeRegistry, name: string, tag?: string): Descriptor {
  registry.putBlob(APP.repository, 'layer')
  const config = { mediaType: MEDIA_TYPES.ociConfig, size: name.length, digest: registry.putBlob(APP.repository, name) }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [LAYER] })
  const digest = registry.put(APP.repository, MEDIA_TYPES.ociManifest, text, tag)
  return { mediaType: MEDIA_TYPES.ociManifest, digest, size: text.length }
}

function dsse(payload: string): SignedEntity {
  const signatures = [{ keyId: '', signature: encodeUtf8(payload) }]
  const envelope = { payloadType: 'application/vnd.in-toto+json', payload: encodeUtf8(payload), signatures }
  return { content: { kind: 'dsse', envelope }, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
}

function statement(predicateType: string): string {
  const subject = [{ name: 'x', digest: { sha256: '00'.repeat(32) } }]
  return JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} })
}

/** Everything that Sigstore's clients attach, in every layout, and something of somebody else's. */
async function attachAll({ registry, writer, image }: Bench): Promise<void> {
  for (const predicateType of [SIGN_PREDICATE_TYPE, SPDX]) {
    const bundle = encodeUtf8(serializeBundle(dsse(statement(predicateType))))
    const common = { repository: APP, subject: image, bundle, content: 'dsse-envelope' } as const
    await attachBundle(writer, { ...common, predicateType })
    // Without the annotation only the bundle says what it is.
    await attachBundle(writer, common)
  }
  const content = { kind: 'message-signature' as const, signature: encodeUtf8('signature') }
  const signature = layerFromSignature({ ...dsse('x'), content }, encodeUtf8('payload'))
  const attestation = layerFromAttestation(dsse(statement(SPDX)), SPDX)
  await attachLayer(writer, { repository: APP, digest: image.digest, tag: 'sig', layer: signature })
  await attachLayer(writer, { repository: APP, digest: image.digest, tag: 'att', layer: attestation })
  for (const [kind, layer] of [
    ['signature', signature],
    ['attestation', attestation],
  ] as const)
    await attachLegacyReferrer(writer, { repository: APP, subject: image, kind, layer })
  putSbom(registry, image)
  await putScan({ registry, writer, image })
}

function putSbom(registry: FakeRegistry, { digest }: Descriptor): void {
  const blob = { mediaType: 'text/spdx', size: 4, digest: registry.putBlob(APP.repository, 'sbom') }
  const sbom = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: blob, layers: [blob] }
  registry.put(APP.repository, MEDIA_TYPES.ociManifest, JSON.stringify(sbom), attachmentTag(digest, 'sbom'))
}

/** What a scanner has attached with a tool of its own. */
async function putScan({ registry, writer, image }: Bench): Promise<void> {
  const blob = { mediaType: 'text/plain', size: 4, digest: registry.putBlob(APP.repository, 'scan') }
  const artifactType = 'application/vnd.example.scan'
  const scan = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: blob,
    layers: [blob],
    subject: image,
    artifactType,
  }
  const digest = registry.put(APP.repository, MEDIA_TYPES.ociManifest, JSON.stringify(scan))
  const { source, descriptors } = await writer.content.referrers(APP, image.digest)
  if (source === 'tag')
    putList(registry, image, [
      ...descriptors,
      { mediaType: MEDIA_TYPES.ociManifest, size: JSON.stringify(scan).length, digest, artifactType },
    ])
}

function putList(registry: FakeRegistry, { digest }: Descriptor, manifests: readonly Descriptor[]): void {
  const list = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }
  registry.put(APP.repository, MEDIA_TYPES.ociIndex, JSON.stringify(list), referrersTag(digest))
}

const ALL = { tags: ['sig', 'att', 'sbom'], referrers: ['signature', 'attestation'] } as const

async function clean({ writer, image }: Bench, what: Pick<CleanQuery, 'tags' | 'referrers'>): Promise<CleanReport> {
  return await cleanImage(writer, { repository: APP, digest: image.digest, ...what })
}

/** What still hangs on the image: tags, and how many referrers. */
async function hanging({ writer, image }: Bench): Promise<readonly (AttachmentKind | number)[]> {
  const kinds: readonly AttachmentKind[] = ['sig', 'att', 'sbom']
  const tags = await Promise.all(
    kinds.map(async (kind) => {
      const there = await orUndefined(writer.content.resolve(APP, attachmentTag(image.digest, kind)))
      return there === undefined ? [] : [kind]
    }),
  )
  return [...tags.flat(), (await writer.content.referrers(APP, image.digest)).descriptors.length]
}

function refusing(status: number, test: (path: string) => boolean): FakeRegistryOptions {
  return {
    intercept: ({ method, url }: SeenRequest) => (method === 'DELETE' && test(url.pathname) ? { status } : undefined),
  }
}

for (const referrersApi of [true, false]) {
  describe(`a registry ${referrersApi ? 'with' : 'without'} the referrers API`, () => {
    for (const [what, query, left] of [
      ['everything', ALL, [1]],
      ['signatures', { tags: ['sig'], referrers: ['signature'] }, ['att', 'sbom', 4]],
      ['attestations', { tags: ['att'], referrers: ['attestation'] }, ['sig', 'sbom', 4]],
      ['SBOMs', { tags: ['sbom'], referrers: [] }, ['sig', 'att', 7]],
      ['referrers', { tags: [], referrers: ['signature', 'attestation'] }, ['sig', 'att', 'sbom', 1]],
    ] as const) {
      test(`${what} go, in every layout, and nothing else`, async () => {
        const bench = setUp({ referrersApi })
        await attachAll(bench)
        assert.deepEqual(await hanging(bench), ['sig', 'att', 'sbom', 7])
        assert.deepEqual((await clean(bench, query)).left, [])
        assert.deepEqual(await hanging(bench), left)
        assert.equal((await bench.writer.content.resolve(APP, 'v1')).digest, bench.image.digest)
      })
    }

    test('of an image that nothing hangs on, nothing is removed or written', async () => {
      const bench = setUp({ referrersApi })
      assert.deepEqual(await clean(bench, ALL), { removed: [], left: [], others: 0 })
      assert.ok(bench.registry.requests.every(({ method }) => method === 'GET' || method === 'HEAD'))
    })
  })
}

test('a list that is kept at a tag goes with the last that was in it', async () => {
  const bench = setUp({ referrersApi: false })
  const bundle = encodeUtf8(serializeBundle(dsse(statement(SPDX))))
  await attachBundle(bench.writer, { repository: APP, subject: bench.image, bundle, content: 'dsse-envelope' })
  await clean(bench, ALL)
  const tag = await orUndefined(bench.writer.content.manifest(APP, referrersTag(bench.image.digest)))
  // The registry of the tests keeps a tag when its manifest is deleted; a list with nothing in it is as good.
  const list = tag === undefined ? undefined : parseManifest(tag.bytes, tag.mediaType)
  assert.ok(list === undefined || (list.kind === 'index' && list.manifests.length === 0))
})

test('what a list names and is gone is taken out of it', async () => {
  const bench = setUp({ referrersApi: false })
  putList(bench.registry, bench.image, [{ ...bench.image, digest: digestOf(encodeUtf8('gone')) }])
  assert.deepEqual((await clean(bench, ALL)).removed, [])
  assert.deepEqual(await hanging(bench), [0])
})

describe('whoever can write a tag or a list cannot have other images deleted', () => {
  test('a list that names the image itself, and others', async () => {
    const bench = setUp({ referrersApi: false })
    const other = putImage(bench.registry, 'other', 'other')
    putList(bench.registry, bench.image, [bench.image, other])
    assert.deepEqual(await clean(bench, ALL), { removed: [], left: [], others: 2 })
    for (const tag of ['v1', 'other']) await bench.writer.content.resolve(APP, tag)
    assert.ok(bench.registry.requests.every(({ method }) => method !== 'DELETE'))
  })

  test('a list that names what refers to another image', async () => {
    const bench = setUp({ referrersApi: false })
    const other = putImage(bench.registry, 'other', 'other')
    const bundle = encodeUtf8(serializeBundle(dsse(statement(SIGN_PREDICATE_TYPE))))
    const { manifest } = await attachBundle(bench.writer, {
      repository: APP,
      subject: other,
      bundle,
      content: 'dsse-envelope',
    })
    putList(bench.registry, bench.image, [{ ...other, digest: manifest }])
    await clean(bench, ALL)
    assert.ok(bench.registry.manifests.has(`team/app@${manifest}`))
  })

  for (const kind of ['sig', 'att', 'sbom'] as const) {
    test(`a tag .${kind} at another image`, async () => {
      const bench = setUp()
      const tag = attachmentTag(bench.image.digest, kind)
      const other = putImage(bench.registry, 'other', tag)
      const { removed, left } = await clean(bench, ALL)
      assert.deepEqual(removed, [])
      assert.deepEqual(
        left.map(({ error }) => error.code),
        ['REGISTRY_CONFLICT'],
      )
      await bench.writer.content.resolve(APP, other.digest)
      assert.ok(bench.registry.requests.every(({ method }) => method !== 'DELETE'))
    })

    test(`a tag .${kind} at an index`, async () => {
      const bench = setUp()
      const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [bench.image] })
      bench.registry.put(APP.repository, MEDIA_TYPES.ociIndex, index, attachmentTag(bench.image.digest, kind))
      assert.equal((await clean(bench, ALL)).left.length, 1)
      assert.ok(bench.registry.requests.every(({ method }) => method !== 'DELETE'))
    })
  }
})

describe('registries that do not delete', () => {
  for (const [status, code] of [
    [405, 'REGISTRY_UNSUPPORTED'],
    [403, 'REGISTRY_DENIED'],
    [401, 'REGISTRY_UNAUTHORIZED'],
    [500, 'REGISTRY_UNAVAILABLE'],
  ] as const) {
    test(`status ${String(status)}: it is told what is left, and the list still names it`, async () => {
      const bench = setUp({ referrersApi: false, ...refusing(status, () => true) })
      await attachAll(bench)
      const { removed, left } = await clean(bench, ALL)
      assert.deepEqual(removed, [])
      assert.deepEqual([...new Set(left.map(({ error }) => error.code))], [code])
      assert.equal(left.length, 9)
      assert.deepEqual(await hanging(bench), ['sig', 'att', 'sbom', 7])
    })
  }

  for (const status of [400, 405]) {
    test(`by tag (${String(status)}), do it by digest`, async () => {
      const bench = setUp(refusing(status, (path) => path.endsWith('.sig')))
      await attachAll(bench)
      const { digest } = await bench.writer.content.resolve(APP, attachmentTag(bench.image.digest, 'sig'))
      assert.deepEqual((await clean(bench, { tags: ['sig'], referrers: [] })).left, [])
      assert.equal(bench.registry.manifests.has(`team/app@${digest}`), false)
    })
  }

  for (const status of [202, 404]) {
    test(`by tag, and say that they did (${String(status)}), are asked again by digest`, async () => {
      const bench = setUp(refusing(status, (path) => path.endsWith('.sig')))
      await attachAll(bench)
      const { digest } = await bench.writer.content.resolve(APP, attachmentTag(bench.image.digest, 'sig'))
      await clean(bench, { tags: ['sig'], referrers: [] })
      assert.equal(bench.registry.manifests.has(`team/app@${digest}`), false)
    })
  }
})

test('a list of referrers that cannot be had ends it before anything of it is removed', async () => {
  const bench = setUp({
    intercept: ({ url }) => (url.pathname.includes('/referrers/') ? { status: 500 } : undefined),
  })
  await assert.rejects(clean(bench, { tags: [], referrers: ['signature'] }), { code: 'REGISTRY_UNAVAILABLE' })
})
