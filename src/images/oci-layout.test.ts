import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { attachmentTag } from '#formats/oci/tags'
import { openLayout, soleImage, type LayoutFiles } from './oci-layout.js'

const ANY = { registry: 'any', repository: 'any' }
const MARKER = '{"imageLayoutVersion":"1.0.0"}'

interface Entry {
  readonly content: unknown
  readonly annotations?: Readonly<Record<string, string>>
  readonly listed?: boolean
}

function path(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function text(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content)
}

function layout(entries: readonly Entry[], changes: Readonly<Record<string, string | undefined>> = {}): LayoutFiles {
  const manifests = entries
    .filter(({ listed }) => listed !== false)
    .map(({ content, annotations }) => {
      const bytes = encodeUtf8(text(content))
      return { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length, annotations }
    })
  const files = new Map<string, string | undefined>([
    ['oci-layout', MARKER],
    ['index.json', JSON.stringify({ schemaVersion: 2, manifests })],
    ...entries.map(({ content }) => [path(digestOf(encodeUtf8(text(content)))), text(content)] as const),
    ...Object.entries(changes),
  ])
  return {
    directory: '/layout',
    read: (name) => {
      const content = files.get(name)
      return Promise.resolve(content === undefined ? undefined : encodeUtf8(content))
    },
    open: (name) => {
      const content = files.get(name)
      return Promise.resolve(content === undefined ? undefined : pieces(encodeUtf8(content)))
    },
    list: (folder) =>
      Promise.resolve(
        [...files]
          .filter(([name, content]) => name.startsWith(`${folder}/`) && content !== undefined)
          .map(([name, content]) => ({ name: name.slice(folder.length + 1), size: (content ?? '').length })),
      ),
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  for (let at = 0; at < bytes.length; at += 16) yield bytes.subarray(at, at + 16)
}

const CONFIG = { mediaType: 'x', digest: digestOf(new Uint8Array()), size: 0 }

function image(name: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: CONFIG,
    layers: [],
    annotations: { name },
    ...more,
  }
}

const ONE = image('one')
const DIGEST = digestOf(encodeUtf8(text(ONE)))

test('the only image is found by any tag, and everything by digest', async () => {
  const files = layout([{ content: ONE }])
  const reader = await openLayout(files)
  assert.equal((await reader.resolve(ANY, 'latest')).digest, DIGEST)
  assert.equal((await reader.manifest(ANY, DIGEST)).mediaType, MEDIA_TYPES.ociManifest)
  assert.equal((await soleImage(files)).digest, DIGEST)
})

test('of several images a tag names one', async () => {
  const two = image('two')
  const files = layout([{ content: ONE }, { content: two, annotations: { 'org.opencontainers.image.ref.name': 'v2' } }])
  const reader = await openLayout(files)
  assert.equal((await reader.resolve(ANY, 'v2')).digest, digestOf(encodeUtf8(text(two))))
  await assert.rejects(reader.resolve(ANY, 'v3'), { code: 'IMAGES_LAYOUT' })
  await assert.rejects(soleImage(files), { code: 'IMAGES_LAYOUT' })
})

test('what cosign saved beside the image is found by its tag', async () => {
  const sigs = image('sigs')
  const files = layout([
    { content: ONE, annotations: { kind: 'dev.cosignproject.cosign/image' } },
    { content: sigs, annotations: { kind: 'dev.cosignproject.cosign/sigs' } },
  ])
  const reader = await openLayout(files)
  assert.equal((await soleImage(files)).digest, DIGEST)
  assert.equal((await reader.manifest(ANY, attachmentTag(DIGEST, 'sig'))).digest, digestOf(encodeUtf8(text(sigs))))
  await assert.rejects(reader.manifest(ANY, attachmentTag(DIGEST, 'att')), { code: 'REGISTRY_NOT_FOUND' })
  await assert.rejects(reader.manifest(ANY, attachmentTag(DIGEST, 'sbom')), { code: 'REGISTRY_NOT_FOUND' })
})

test('referrers are found though no index lists them', async () => {
  const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: DIGEST, size: text(ONE).length }
  const referrer = image('referrer', { subject, artifactType: 'application/vnd.example' })
  const reader = await openLayout(
    layout([{ content: ONE }, { content: referrer, listed: false }, { content: '{not json', listed: false }]),
  )
  const { descriptors } = await reader.referrers(ANY, DIGEST)
  assert.deepEqual(
    descriptors.map(({ artifactType }) => artifactType),
    ['application/vnd.example'],
  )
})

test('the image is the one that refers to no other, where an index lists all (oras)', async () => {
  const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: DIGEST, size: text(ONE).length }
  const files = layout([{ content: image('referrer', { subject }) }, { content: ONE }])
  assert.equal((await soleImage(files)).digest, DIGEST)
  const cut = layout([{ content: image('referrer', { subject }) }, { content: ONE }], { [path(DIGEST)]: undefined })
  await assert.rejects(soleImage(cut), { code: 'REGISTRY_NOT_FOUND' })
})

test('a blob that was changed on disk is refused', async () => {
  const reader = await openLayout(layout([{ content: ONE }], { [path(DIGEST)]: text(image('other')) }))
  await assert.rejects(reader.manifest(ANY, DIGEST), { code: 'REGISTRY_DIGEST' })
  await assert.rejects(reader.blob(ANY, { digest: DIGEST, size: 1 }, 10), { code: 'REGISTRY_DIGEST' })
})

test('blobs are bounded, and missing ones are told of', async () => {
  const reader = await openLayout(layout([{ content: ONE }]))
  await assert.rejects(reader.blob(ANY, { digest: DIGEST, size: 11 }, 10), { code: 'REGISTRY_TOO_LARGE' })
  await assert.rejects(reader.blob(ANY, { digest: CONFIG.digest, size: 0 }, 10), { code: 'REGISTRY_NOT_FOUND' })
  await assert.rejects(reader.blob(ANY, { digest: 'sha256:../../etc/passwd', size: 0 }, 10), { code: 'OCI_DIGEST' })
})

for (const [what, changes] of [
  ['without its marker', { 'oci-layout': undefined }],
  ['without an index', { 'index.json': undefined }],
  ['of another version', { 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' }],
  ['whose marker is no JSON', { 'oci-layout': 'x' }],
  ['whose index is no JSON', { 'index.json': '{' }],
  ['whose index is an image', { 'index.json': text(ONE) }],
  ['whose index names no digest', { 'index.json': '{"manifests":[{"size":1}]}' }],
] as const) {
  test(`a directory ${what} is no layout`, async () => {
    await assert.rejects(openLayout(layout([{ content: ONE }], changes)), { code: 'IMAGES_LAYOUT' })
  })
}
