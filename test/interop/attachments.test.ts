import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createHttpClient } from '#clients/http/client'
import { systemTimers } from '#clients/http/timers'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { createRegistryClient } from '#clients/registry/client'
import { encodeUtf8, decodeUtf8 } from '#encoding/utf8'
import { BUNDLE_MEDIA_TYPE } from '#formats/bundle/media-type'
import { serializeBundle } from '#formats/bundle/serialize'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { parseReference } from '#formats/oci/reference'
import { referrersTag } from '#formats/oci/tags'
import { attachBundle } from '#images/attach-bundle'
import { attachLayer } from '#images/attach-layer'
import type { FoundAttachments, ResolvedImage } from '#images/attachment'
import { findAttachments } from '#images/find'
import { layerFromSignature } from '#images/legacy-layer'
import { nodeLayoutFiles } from '#images/node-layout-files'
import { openLayout, soleImage } from '#images/oci-layout'
import { resolveImage } from '#images/resolve'
import type { AttachmentWriter } from '#images/store'
import { listAttachments } from '#images/tree'
import type { SignedEntity } from '#formats/signed-entity'
import { must } from './processes.js'
import { pushImage, startDockerRegistry, type RunningRegistry } from './registry.js'

let registry: RunningRegistry
let folder: string
let images = 0

before(async () => {
  registry = await startDockerRegistry()
  folder = await mkdtemp(join(tmpdir(), 'interop-attachments-'))
})
after(async () => {
  await registry.stop()
  await rm(folder, { recursive: true, force: true })
})

/** What one process would have. */
function process(): AttachmentWriter {
  const { fetch } = createHttpClient({ env: {}, clock: Date.now, random: Math.random, userAgent: 'test' })
  const content = createRegistryClient({ fetch, clock: Date.now, keychain: anonymousKeychain })
  return { content, clock: Date.now, timers: systemTimers, random: Math.random }
}

async function newImage(): Promise<ResolvedImage & { readonly name: string }> {
  images += 1
  const name = await pushImage(registry.host, `attachments/image-${String(images)}`, `contents ${String(images)}`)
  return { ...(await resolveImage(process().content, parseReference(name))), name }
}

function envelope(name: string): SignedEntity {
  const signatures = [{ keyId: '', signature: encodeUtf8(name) }]
  const content = { kind: 'dsse' as const, envelope: { payloadType: 'x', payload: encodeUtf8(name), signatures } }
  return { content, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
}

async function attach(
  { repository, descriptor }: ResolvedImage,
  name: string,
  predicateType = SIGN_PREDICATE_TYPE,
): Promise<void> {
  const bundle = encodeUtf8(serializeBundle(envelope(name)))
  await attachBundle(process(), { repository, subject: descriptor, bundle, content: 'dsse-envelope', predicateType })
}

async function find({ repository, descriptor }: ResolvedImage): Promise<FoundAttachments> {
  return await findAttachments(process(), { repository, digest: descriptor.digest, kind: 'signature' })
}

function names({ attachments }: FoundAttachments): readonly string[] {
  return attachments
    .map(({ entity: { content } }) =>
      decodeUtf8(content.kind === 'dsse' ? content.envelope.payload : content.signature),
    )
    .sort()
}

interface Discovered {
  readonly referrers: readonly {
    readonly artifactType: string
    readonly annotations?: Readonly<Record<string, string>>
  }[]
}

test('what is written without the referrers API is what oras lists', async () => {
  const image = await newImage()
  await attach(image, 'one')
  await attach(image, 'two', 'https://spdx.dev/Document')
  const listed = JSON.parse(
    await must('oras', ['discover', '--plain-http', '--format', 'json', image.name]),
  ) as Discovered
  assert.deepEqual(
    listed.referrers
      .map(({ artifactType, annotations }) => [artifactType, annotations?.['dev.sigstore.bundle.predicateType']])
      .sort(),
    [
      [BUNDLE_MEDIA_TYPE, SIGN_PREDICATE_TYPE],
      [BUNDLE_MEDIA_TYPE, 'https://spdx.dev/Document'],
    ].sort(),
  )
})

test('what oras attached stays, and is not taken for a signature', async () => {
  const image = await newImage()
  await attach(image, 'one')
  await writeFile(join(folder, 'scan.txt'), 'clean')
  const args = [
    'attach',
    '--plain-http',
    '--artifact-type',
    'application/vnd.example.scan',
    image.name,
    'scan.txt:text/plain',
  ]
  await must('oras', args, { cwd: folder })
  await attach(image, 'two')
  assert.deepEqual(names(await find(image)), ['one', 'two'])
  const tree = await listAttachments(process(), { repository: image.repository, digest: image.descriptor.digest })
  assert.deepEqual(tree.referrers.map(({ type }) => type).sort(), ['application/vnd.example.scan', SIGN_PREDICATE_TYPE])
})

for (const round of [1, 2, 3]) {
  test(`eight signers at once lose nothing (round ${String(round)})`, async () => {
    const image = await newImage()
    const signers = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    await Promise.all(
      signers.map(async (name) => {
        await attach(image, name)
      }),
    )
    assert.deepEqual(names(await find(image)), signers)
    const listed = await process().content.manifest(image.repository, referrersTag(image.descriptor.digest))
    assert.equal((JSON.parse(decodeUtf8(listed.bytes)) as { manifests: unknown[] }).manifests.length, 8)
  })
}

test('eight signers at once lose no layer', async () => {
  const { repository, descriptor, ...image } = await newImage()
  const signers = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  await Promise.all(
    signers.map(async (name) => {
      const content = { kind: 'message-signature' as const, signature: encodeUtf8(name) }
      const entity: SignedEntity = { ...envelope(name), content }
      const layer = layerFromSignature(entity, encodeUtf8('payload'))
      await attachLayer(process(), { repository, digest: descriptor.digest, tag: 'sig', layer })
    }),
  )
  assert.deepEqual(names(await find({ repository, descriptor, ...image })), signers)
})

test('what cosign saved to a folder is read from there', async () => {
  const image = await newImage()
  await attach(image, 'bundle')
  const saved = join(folder, 'saved')
  await must('cosign3', ['save', '--dir', saved, image.name])
  const files = nodeLayoutFiles(saved)
  const { digest } = await soleImage(files)
  assert.equal(digest, image.descriptor.digest)
  const found = await findAttachments({ content: await openLayout(files) }, { ...image, digest, kind: 'signature' })
  assert.deepEqual(names(found), ['bundle'])
})
