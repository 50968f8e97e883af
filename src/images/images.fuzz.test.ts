import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Descriptor } from '#formats/oci/descriptor'
import { digestOf } from '#formats/oci/digest'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import { fuzzRuns } from '#testing/fuzz'
import { memoryLayout } from '#testing/memory-layout'
import { collectImage } from './collect.js'
import { attestationFromLayer, layerFromAttestation, layerFromSignature, signatureFromLayer } from './legacy-layer.js'
import { openLayout, soleImage } from './oci-layout.js'

const text = fc.oneof(
  fc.string(),
  fc.json(),
  fc.constantFrom(
    '',
    'null',
    'AAAA',
    '{"Payload":{}}',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  ),
)
const { signature, certificate, chain, bundle, timestamp } = ANNOTATIONS
const annotations = fc.dictionary(fc.constantFrom<string>(signature, certificate, chain, bundle, timestamp), text)
const layer = fc.record({
  mediaType: fc.string(),
  bytes: fc.oneof(fc.uint8Array(), fc.json().map(encodeUtf8)),
  annotations,
})

async function coded(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    assert.ok(isCodedError(error), String(error))
  }
}

test('any layer is read or refused with a code', async () => {
  await fc.assert(
    fc.asyncProperty(layer, async (any) => {
      await coded(() => signatureFromLayer(any))
      await coded(() => attestationFromLayer(any))
    }),
    { numRuns: fuzzRuns() },
  )
})

test('any folder is read or refused with a code', async () => {
  const content = fc.option(fc.oneof(fc.uint8Array(), fc.json().map(encodeUtf8)), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(content, content, async (marker, index) => {
      const read = (path: string): Promise<Uint8Array | undefined> =>
        Promise.resolve(path === 'index.json' ? index : marker)
      await coded(async () => {
        const reader = await openLayout({
          directory: '/x',
          read,
          open: () => Promise.resolve(undefined),
          list: () => Promise.resolve([]),
        })
        await reader.resolve({ registry: '', repository: '' }, 'latest')
      })
    }),
    { numRuns: fuzzRuns() },
  )
})

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })
const material = fc.record(
  {
    key: fc.oneof(
      fc.constant({ kind: 'public-key' as const, hint: '' }),
      fc
        .array(bytes, { minLength: 1, maxLength: 1 })
        .map((certificates) => ({ kind: 'certificates' as const, chain: certificates })),
    ),
    logEntries: fc.constant([]),
    timestamps: fc.array(bytes, { maxLength: 1 }),
  },
  { noNullPrototype: true },
)

test('what is written as a layer is read back the same', () => {
  fc.assert(
    fc.property(material, bytes, bytes, (rest, signed, payload) => {
      const message = { content: { kind: 'message-signature' as const, signature: signed }, ...rest }
      assert.deepEqual(signatureFromLayer(layerFromSignature(message, payload)), { entity: message, payload })
      const envelope = { payloadType: 'x', payload, signatures: [{ keyId: '', signature: signed }] }
      const attested = layerFromAttestation(
        { content: { kind: 'dsse', envelope }, ...rest },
        'https://example.com/type',
      )
      const { entity } = attestationFromLayer(attested)
      assert.ok(entity.content.kind === 'dsse')
      assert.deepEqual({ ...entity, content: undefined }, { ...rest, content: undefined })
      assert.deepEqual(entity.content.envelope.source, attested.bytes)
    }),
    { numRuns: fuzzRuns() },
  )
})

test('any folder of manifests is an image to be moved, or is refused with a code', async () => {
  const names = fc.constantFrom(0, 1, 2, 3)
  const shaped = fc.record({
    kind: fc.constantFrom('image', 'index', 'neither'),
    children: fc.array(names, { maxLength: 3 }),
    subject: fc.option(names),
    annotations: fc.option(
      fc.dictionary(fc.constantFrom('kind', 'x'), fc.constantFrom('dev.cosignproject.cosign/image', 'y')),
    ),
    artifactType: fc.option(fc.constantFrom('application/vnd.dev.sigstore.bundle.v0.3+json', 'x')),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(shaped, { minLength: 1, maxLength: 4 }), fc.json(), async (shapes, other) => {
      // Each can name those before it, and what is not there at all.
      const known: Descriptor[] = []
      const store = memoryLayout({ 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' })
      const put = (text: string): Descriptor => {
        const descriptor = { mediaType: MEDIA_TYPES.ociManifest, size: text.length, digest: digestOf(encodeUtf8(text)) }
        store.files.set(`blobs/${descriptor.digest.replace(':', '/')}`, encodeUtf8(text))
        return descriptor
      }
      const named = (index: number): Descriptor =>
        known[index] ?? { ...put('{}'), digest: digestOf(encodeUtf8('none')) }
      for (const { kind, children, subject, annotations, artifactType } of shapes) {
        const mediaType = kind === 'index' ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest
        const content =
          kind === 'index' ? { manifests: children.map(named) } : { config: put('{}'), layers: children.map(named) }
        const rest = { ...(subject !== null && { subject: named(subject) }), annotations, artifactType }
        known.push({
          ...put(kind === 'neither' ? other : JSON.stringify({ mediaType, ...content, ...rest })),
          mediaType,
        })
      }
      store.files.set('index.json', encodeUtf8(JSON.stringify({ manifests: known.slice(-2) })))
      await coded(async () => {
        const descriptor = await soleImage(store)
        const content = await openLayout(store)
        await collectImage({ content }, { repository: { registry: '', repository: '' }, descriptor })
      })
    }),
    { numRuns: fuzzRuns() },
  )
})
