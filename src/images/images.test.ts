import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRegistryClient } from '#clients/registry/client'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { RegistryError } from '#clients/registry/registry-error'
import { encodeUtf8, decodeUtf8 } from '#encoding/utf8'
import { BUNDLE_MEDIA_TYPE } from '#formats/bundle/media-type'
import { serializeBundle } from '#formats/bundle/serialize'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { attachmentTag, referrersTag } from '#formats/oci/tags'
import type { SignedEntity } from '#formats/signed-entity'
import type { FakeAnswer, SeenRequest } from '#testing/fake-fetch'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { fakeTimers } from '#testing/fake-timers'
import { attachBundle } from './attach-bundle.js'
import { attachLayer } from './attach-layer.js'
import { attachLegacyReferrer } from './attach-legacy-referrer.js'
import type { FoundAttachments } from './attachment.js'
import { findAttachments } from './find.js'
import { layerFromAttestation, layerFromSignature } from './legacy-layer.js'
import { expandImage, resolveImage } from './resolve.js'
import type { AttachmentWriter } from './store.js'
import { listAttachments } from './tree.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const SPDX = 'https://spdx.dev/Document'

interface Bench {
  readonly registry: FakeRegistry
  readonly writer: AttachmentWriter
  readonly subject: Descriptor
  /** Another process on the same registry. */
  another(overrides?: Partial<AttachmentWriter>): AttachmentWriter
}

function setUp(options: FakeRegistryOptions = {}, overrides: Partial<AttachmentWriter> = {}): Bench {
  const registry = fakeRegistry(options)
  const time = fakeTimers()
  time.autoAdvance()
  let seed = 0
  const another = (more: Partial<AttachmentWriter> = {}): AttachmentWriter => ({
    content: createRegistryClient({ fetch: registry.fetch, clock: time.clock, keychain: anonymousKeychain }),
    clock: time.clock,
    timers: time.timers,
    random: () => (seed = (seed + 0.37) % 1),
    ...overrides,
    ...more,
  })
  const image = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] })
  const digest = registry.put(APP.repository, MEDIA_TYPES.ociIndex, image, 'v1')
  const subject = { mediaType: MEDIA_TYPES.ociIndex, digest, size: image.length }
  return { registry, writer: another(), subject, another }
}

function dsse(name: string): SignedEntity {
  const envelope = {
    payloadType: 'application/vnd.in-toto+json',
    payload: encodeUtf8(name),
    signatures: [{ keyId: '', signature: encodeUtf8(`signed ${name}`) }],
  }
  return {
    content: { kind: 'dsse', envelope },
    key: { kind: 'public-key', hint: 'key' },
    logEntries: [],
    timestamps: [],
  }
}

function signature(name: string): SignedEntity {
  const content = { kind: 'message-signature' as const, signature: encodeUtf8(name) }
  return { content, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
}

async function attach(
  { writer, subject }: Pick<Bench, 'writer' | 'subject'>,
  name: string,
  predicateType: string,
): Promise<void> {
  const bundle = encodeUtf8(serializeBundle(dsse(name)))
  await attachBundle(writer, { repository: APP, subject, bundle, content: 'dsse-envelope', predicateType })
}

async function attachTagged({ writer, subject }: Pick<Bench, 'writer' | 'subject'>, name: string): Promise<void> {
  const layer = layerFromSignature(signature(name), encodeUtf8('payload'))
  await attachLayer(writer, { repository: APP, digest: subject.digest, tag: 'sig', layer })
}

async function find(
  { another, subject }: Bench,
  kind: 'signature' | 'attestation',
  predicateType?: string,
): Promise<FoundAttachments> {
  return await findAttachments(another(), { repository: APP, digest: subject.digest, kind, predicateType })
}

function names({ attachments }: FoundAttachments): readonly string[] {
  return attachments
    .map(({ entity: { content } }) =>
      content.kind === 'dsse' ? decodeUtf8(content.envelope.payload) : decodeUtf8(content.signature),
    )
    .sort()
}

test('a bundle’s manifest has cosign’s very bytes', async () => {
  const bench = setUp()
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  const stored = [...bench.registry.manifests].find(
    ([key, { mediaType }]) => key.includes('@') && mediaType === MEDIA_TYPES.ociManifest,
  )
  assert.ok(stored)
  const { layers } = parseManifest(stored[1].bytes) as { layers: readonly Descriptor[] }
  const [layer] = layers
  assert.ok(layer)
  assert.equal(
    decodeUtf8(stored[1].bytes),
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"},"layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","size":${String(layer.size)},"digest":"${layer.digest}"}],"annotations":{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1","org.opencontainers.image.created":"2026-01-01T00:00:00Z"},"subject":{"mediaType":"application/vnd.oci.image.index.v1+json","size":${String(bench.subject.size)},"digest":"${bench.subject.digest}"},"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`,
  )
})

test('one signature is found with four requests in three round trips', async () => {
  const bench = setUp()
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  const before = bench.registry.requests.length
  assert.deepEqual(names(await find(bench, 'signature')), ['one'])
  const lines = bench.registry.lines().slice(before)
  assert.equal(lines.length, 4)
  assert.match(lines[0] ?? '', /GET .*\/referrers\//)
  assert.match(lines[1] ?? '', /GET .*\.sig$/)
})

test('whoever wants referrers alone does not ask for the tag, and does not get what is under it', async () => {
  const bench = setUp()
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  await attachTagged(bench, 'two')
  const before = bench.registry.requests.length
  const query = { repository: APP, digest: bench.subject.digest, kind: 'signature', layouts: ['referrer'] } as const
  assert.deepEqual(names(await findAttachments(bench.another(), query)), ['one'])
  const lines = bench.registry.lines().slice(before)
  assert.equal(lines.length, 3)
  assert.ok(!lines.some((line) => line.endsWith('.sig')))
})

test('both layouts are found, neither hides the other', async () => {
  const bench = setUp()
  await attach(bench, 'bundle', SIGN_PREDICATE_TYPE)
  await attachTagged(bench, 'layer')
  assert.deepEqual(names(await find(bench, 'signature')), ['bundle', 'layer'])
})

test('an attestation hides no signature, and is not fetched as one', async () => {
  const bench = setUp()
  await attach(bench, 'sbom', SPDX)
  await attachTagged(bench, 'layer')
  const before = bench.registry.requests.length
  const found = await find(bench, 'signature')
  assert.deepEqual([names(found), found.passedOver], [['layer'], [SPDX]])
  assert.equal(bench.registry.requests.length - before, 3)
  assert.deepEqual(names(await find(bench, 'attestation')), ['sbom'])
  assert.deepEqual(names(await find(bench, 'attestation', SPDX)), ['sbom'])
  const other = await find(bench, 'attestation', 'https://cyclonedx.org/bom')
  assert.deepEqual([names(other), other.passedOver], [[], [SPDX]])
})

test('referrers that are not ours cost nothing', async () => {
  const bench = setUp()
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociEmpty, digest: bench.subject.digest, size: 2 },
    layers: [],
    subject: bench.subject,
    artifactType: 'application/vnd.example.scan',
    annotations: {},
  }
  for (let count = 0; count < 50; count++) {
    const one = JSON.stringify({ ...manifest, annotations: { count: String(count) } })
    bench.registry.put(APP.repository, MEDIA_TYPES.ociManifest, one)
  }
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  const before = bench.registry.requests.length
  assert.deepEqual(names(await find(bench, 'signature')), ['one'])
  assert.equal(bench.registry.requests.length - before, 4)
})

test('without the referrers API the list under the tag is right', async () => {
  const bench = setUp({ referrersApi: false })
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  await attach(bench, 'two', SPDX)
  const listed = bench.registry.manifests.get(`team/app:${referrersTag(bench.subject.digest)}`)
  assert.ok(listed)
  const { manifests } = parseManifest(listed.bytes, listed.mediaType) as { manifests: readonly Descriptor[] }
  assert.deepEqual(
    manifests
      .map(({ artifactType, annotations }) => [artifactType, annotations?.['dev.sigstore.bundle.predicateType']])
      .sort(),
    [
      [BUNDLE_MEDIA_TYPE, SPDX],
      [BUNDLE_MEDIA_TYPE, SIGN_PREDICATE_TYPE],
    ].sort(),
  )
  const digests = manifests.map(({ digest }) => digest)
  assert.deepEqual(digests, [...digests].sort())
  assert.deepEqual(names(await find(bench, 'signature')), ['one'])
})

test('stale entries of older clients are found, and repaired by the next write', async () => {
  const bench = setUp({ referrersApi: false })
  await attach(bench, 'old', SIGN_PREDICATE_TYPE)
  const tag = referrersTag(bench.subject.digest)
  const key = `team/app:${tag}`
  const listed = bench.registry.manifests.get(key)
  assert.ok(listed)
  const index = JSON.parse(decodeUtf8(listed.bytes)) as { manifests: Record<string, unknown>[] }
  const stale = index.manifests.map(({ annotations: _annotations, ...rest }) => ({
    ...rest,
    artifactType: MEDIA_TYPES.ociEmpty,
  }))
  bench.registry.put(APP.repository, MEDIA_TYPES.ociIndex, JSON.stringify({ ...index, manifests: stale }), tag)
  assert.deepEqual(names(await find(bench, 'signature')), ['old'])
  await attach({ ...bench, writer: bench.another() }, 'new', SIGN_PREDICATE_TYPE)
  const repaired = bench.registry.manifests.get(key)
  assert.ok(repaired)
  assert.ok(!decodeUtf8(repaired.bytes).includes(`"artifactType":"${MEDIA_TYPES.ociEmpty}"`))
  assert.deepEqual(names(await find(bench, 'signature')), ['new', 'old'])
})

test('a registry that answers the tag with the subject itself is written to all the same', async () => {
  const bench = setUp({ referrersApi: false })
  const image = bench.registry.manifests.get(`team/app@${bench.subject.digest}`)
  assert.ok(image)
  bench.registry.put(APP.repository, image.mediaType, image.bytes, referrersTag(bench.subject.digest))
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  assert.deepEqual(names(await find(bench, 'signature')), ['one'])
})

test('somebody’s image under the fallback tag is not overwritten', async () => {
  const bench = setUp({ referrersApi: false })
  const config = { mediaType: 'x', digest: bench.subject.digest, size: 1 }
  const image = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] })
  bench.registry.put(APP.repository, MEDIA_TYPES.ociManifest, image, referrersTag(bench.subject.digest))
  await assert.rejects(attach(bench, 'one', SIGN_PREDICATE_TYPE), { code: 'IMAGES_REFERRER' })
})

for (const [what, options] of [
  ['without the referrers API', { referrersApi: false }],
  ['with If-Match', { referrersApi: false, etags: true }],
] as const) {
  test(`eight signers at once lose nothing ${what}`, async () => {
    const bench = setUp(options)
    const signers = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    await Promise.all(
      signers.map(async (name) => {
        await attach({ ...bench, writer: bench.another() }, name, SIGN_PREDICATE_TYPE)
      }),
    )
    assert.deepEqual(names(await find(bench, 'signature')), signers)
  })

  test(`eight signers at once lose no layer ${what}`, async () => {
    const bench = setUp(options)
    const signers = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    await Promise.all(
      signers.map(async (name) => {
        await attachTagged({ ...bench, writer: bench.another() }, name)
      }),
    )
    assert.deepEqual(names(await find(bench, 'signature')), signers)
  })
}

test('a write that failed is made again on what is there by then', async () => {
  const bench = setUp()
  let failures = 2
  const other = bench.another()
  const content = other.content
  const writer: AttachmentWriter = {
    ...other,
    content: {
      ...content,
      pushManifest: async (repository, name, manifest) => {
        if (!name.endsWith('.sig') || failures-- <= 0) return await content.pushManifest(repository, name, manifest)
        // While the registry refuses this one, somebody else gets through.
        await attachTagged({ ...bench, writer: bench.another() }, `other ${String(failures)}`)
        throw new RegistryError('REGISTRY_REFUSED', 'refused', { found: 'status 400: MANIFEST_BLOB_UNKNOWN' })
      },
    },
  }
  await attachTagged({ ...bench, writer }, 'mine')
  assert.deepEqual(names(await find(bench, 'signature')), ['mine', 'other 0', 'other 1'])
})

test('somebody who overwrites all the time is told of', async () => {
  const tagPath = /sha256-[0-9a-f]{64}\.sig$/
  const bench = setUp({
    intercept: (request): FakeAnswer | undefined =>
      request.method === 'GET' && tagPath.test(request.url.pathname) ? { status: 404 } : undefined,
  })
  await assert.rejects(attachTagged(bench, 'x'), { code: 'IMAGES_CONTENDED' })
})

test('a tag that may not be changed is no contention', async () => {
  const conflict = (request: SeenRequest): FakeAnswer | undefined =>
    request.method === 'PUT' && request.url.pathname.endsWith('.sig') ? { status: 409 } : undefined
  const bench = setUp({ intercept: conflict })
  await assert.rejects(attachTagged(bench, 'x'), { code: 'REGISTRY_CONFLICT' })
})

test('the same layer twice is there once, and replacing takes the old one out', async () => {
  const bench = setUp()
  await attachTagged(bench, 'one')
  await attachTagged(bench, 'one')
  assert.deepEqual(names(await find(bench, 'signature')), ['one'])
  const layer = layerFromAttestation(dsse('new'), SPDX)
  const place = { repository: APP, digest: bench.subject.digest, tag: 'att' as const }
  await attachLayer(bench.writer, { ...place, layer: layerFromAttestation(dsse('old'), SPDX) })
  await attachLayer(bench.writer, { ...place, layer: layerFromAttestation(dsse('other'), 'https://cyclonedx.org/bom') })
  await attachLayer(bench.writer, {
    ...place,
    layer,
    replaces: ({ annotations }) => annotations?.['predicateType'] === SPDX,
  })
  assert.deepEqual(names(await find(bench, 'attestation')), ['new', 'other'])
})

test('signatures of one payload share one blob', async () => {
  const bench = setUp()
  for (const name of ['a', 'b', 'c']) await attachTagged(bench, name)
  const before = bench.registry.requests.length
  assert.deepEqual(names(await find(bench, 'signature')), ['a', 'b', 'c'])
  assert.equal(bench.registry.requests.length - before, 3, 'list, tag, blob')
})

test('COSIGN_REPOSITORY moves both layouts and nothing else', async () => {
  const elsewhere = { registry: 'sigs.example', repository: 'signatures' }
  const bench = setUp({}, { attachmentRepository: elsewhere })
  await attach(bench, 'bundle', SIGN_PREDICATE_TYPE)
  await attachTagged(bench, 'layer')
  assert.deepEqual(names(await find(bench, 'signature')), ['bundle', 'layer'])
  assert.ok(
    [...bench.registry.manifests.keys()].every(
      (key) => key.startsWith('signatures') || key.includes(bench.subject.digest) || key === 'team/app:v1',
    ),
  )
  assert.ok(bench.registry.requests.every(({ url }) => url.host === 'sigs.example'))
})

test('the experimental layout is written and found', async () => {
  const bench = setUp({ referrersApi: false })
  const layer = layerFromSignature(signature('exp'), encodeUtf8('payload'))
  await attachLegacyReferrer(bench.writer, { repository: APP, subject: bench.subject, kind: 'signature', layer })
  assert.deepEqual(names(await find(bench, 'signature')), ['exp'])
  assert.deepEqual(names(await find(bench, 'attestation')), [])
})

const BROKEN_LAYERS = [
  ['no signature', {}],
  ['a signature that is no base64', { 'dev.cosignproject.cosign/signature': '!' }],
  [
    'a certificate that is a key',
    {
      'dev.cosignproject.cosign/signature': 'AA==',
      'dev.sigstore.cosign/certificate': '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n',
    },
  ],
  [
    'a certificate that is no PEM',
    { 'dev.cosignproject.cosign/signature': 'AA==', 'dev.sigstore.cosign/certificate': 'hello' },
  ],
  ['a log entry that is no JSON', { 'dev.cosignproject.cosign/signature': 'AA==', 'dev.sigstore.cosign/bundle': '{' }],
  [
    'a log entry without a body',
    { 'dev.cosignproject.cosign/signature': 'AA==', 'dev.sigstore.cosign/bundle': '{"Payload":{}}' },
  ],
  [
    'a timestamp that is none',
    { 'dev.cosignproject.cosign/signature': 'AA==', 'dev.sigstore.cosign/rfc3161timestamp': '{}' },
  ],
] as const
for (const [what, annotations] of BROKEN_LAYERS) {
  test(`a layer with ${what} is told of and does not hide the others`, async () => {
    const bench = setUp()
    await attachTagged(bench, 'good')
    const layer = { mediaType: 'x', bytes: encodeUtf8('payload'), annotations: { ...annotations } }
    await attachLayer(bench.writer, { repository: APP, digest: bench.subject.digest, tag: 'sig', layer })
    const found = await find(bench, 'signature')
    assert.deepEqual(names(found), ['good'])
    assert.equal(found.unreadable.length, 1)
  })
}

test('a bundle that is none is told of and does not hide the others', async () => {
  const bench = setUp()
  await attach(bench, 'good', SIGN_PREDICATE_TYPE)
  await attachBundle(bench.writer, {
    repository: APP,
    subject: bench.subject,
    bundle: encodeUtf8('{}'),
    content: 'dsse-envelope',
  })
  const found = await find(bench, 'signature')
  assert.deepEqual(names(found), ['good'])
  assert.equal(found.unreadable[0]?.error.code, 'BUNDLE_MALFORMED')
})

for (const status of [401, 403, 429, 500]) {
  test(`an image that cannot be asked about (${String(status)}) is not an unsigned one`, async () => {
    const lists = setUp({ intercept: ({ url }) => (url.pathname.includes('/referrers/') ? { status } : undefined) })
    await assert.rejects(find(lists, 'signature'))
    const tags = setUp({ intercept: ({ url }) => (url.pathname.endsWith('.sig') ? { status } : undefined) })
    await assert.rejects(find(tags, 'signature'))
  })
}

test('an attachment over the limit is not read', async () => {
  const bench = setUp({}, { maxAttachmentSize: 10 })
  await attach(bench, 'large', SIGN_PREDICATE_TYPE)
  assert.equal((await find(bench, 'signature')).unreadable[0]?.error.code, 'REGISTRY_TOO_LARGE')
})

test('more layers than allowed are refused', async () => {
  const bench = setUp()
  const layer = { mediaType: 'x', digest: bench.subject.digest, size: 1 }
  const image = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: layer,
    layers: Array<unknown>(1001).fill(layer),
  }
  bench.registry.put(
    APP.repository,
    MEDIA_TYPES.ociManifest,
    JSON.stringify(image),
    attachmentTag(bench.subject.digest, 'sig'),
  )
  await assert.rejects(find(bench, 'signature'), { code: 'IMAGES_LAYER_LIMIT' })
})

test('an index under the .sig tag is refused', async () => {
  const bench = setUp()
  const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] })
  bench.registry.put(APP.repository, MEDIA_TYPES.ociIndex, index, attachmentTag(bench.subject.digest, 'sig'))
  await assert.rejects(find(bench, 'signature'), { code: 'IMAGES_LAYOUT' })
})

test('an unsigned image has nothing, and three requests say so', async () => {
  const bench = setUp({ referrersApi: false })
  assert.deepEqual(await find(bench, 'signature'), { attachments: [], unreadable: [], passedOver: [] })
  assert.equal(bench.registry.requests.length, 3)
})

test('blobs are pushed before the manifest that names them', async () => {
  // The fake registry refuses a manifest whose blobs are missing, so getting through is the proof.
  const bench = setUp()
  await attach(bench, 'one', SIGN_PREDICATE_TYPE)
  await attachTagged(bench, 'two')
  assert.ok(bench.registry.requests.length > 0)
})

test('the tree lists everything by name', async () => {
  const bench = setUp()
  await attach(bench, 'sbom', SPDX)
  await attachTagged(bench, 'layer')
  const tree = await listAttachments(bench.writer, { repository: APP, digest: bench.subject.digest })
  assert.deepEqual(
    tree.tagged.map(({ kind, layers }) => [kind, layers.length]),
    [['sig', 1]],
  )
  assert.deepEqual(
    tree.referrers.map(({ type, manifests }) => [type, manifests.length]),
    [[SPDX, 1]],
  )
})

test('an index is expanded to what is in it, each once', async () => {
  const bench = setUp()
  const child = { mediaType: MEDIA_TYPES.ociManifest, digest: `sha256:${'1'.repeat(64)}`, size: 1 }
  const other = { mediaType: 'application/vnd.example', digest: `sha256:${'2'.repeat(64)}`, size: 1 }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [child, child, other] })
  const digest = bench.registry.put(APP.repository, MEDIA_TYPES.ociIndex, index, 'multi')
  const image = await resolveImage(bench.writer.content, { kind: 'tag', ...APP, tag: 'multi' })
  const all = await expandImage(bench.writer.content, image)
  assert.deepEqual(
    all.map(({ descriptor }) => descriptor.digest),
    [digest, child.digest],
  )
  await assert.rejects(resolveImage(bench.writer.content, { kind: 'tag', ...APP, tag: 'none' }), {
    code: 'REGISTRY_NOT_FOUND',
  })
})

test('indexes nested without end are refused', async () => {
  const bench = setUp()
  let inner: Descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: `sha256:${'1'.repeat(64)}`, size: 1 }
  for (let depth = 0; depth < 6; depth++) {
    const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [inner] })
    const digest = bench.registry.put(APP.repository, MEDIA_TYPES.ociIndex, index)
    inner = { mediaType: MEDIA_TYPES.ociIndex, digest, size: index.length }
  }
  await assert.rejects(expandImage(bench.writer.content, { repository: APP, descriptor: inner }), {
    code: 'IMAGES_LAYOUT',
  })
})
