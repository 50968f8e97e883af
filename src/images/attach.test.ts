import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { createRegistryClient } from '#clients/registry/client'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { IN_TOTO_PAYLOAD_TYPE, type DsseEnvelope } from '#formats/dsse/envelope'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import type { SignedEntity } from '#formats/signed-entity'
import { serializeSimpleSigning } from '#formats/simple-signing/payload'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { fakeTimers } from '#testing/fake-timers'
import { attach } from './attach.js'
import { attachableBundle, attachableEnvelope, attachableSignature, type Attachable } from './attachable.js'
import type { ResolvedImage } from './attachment.js'
import { findAttachments } from './find.js'
import type { AttachmentWriter } from './store.js'

const APP = { registry: 'reg.example', repository: 'team/app' }
const SPDX = 'https://spdx.dev/Document'
const IMAGE = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] })
const DIGEST = digestOf(encodeUtf8(IMAGE))
const OTHER = digestOf(encodeUtf8('another image'))

interface Bench {
  readonly registry: FakeRegistry
  readonly writer: AttachmentWriter
  readonly image: ResolvedImage
}

function setUp(options: FakeRegistryOptions = {}): Bench {
  const registry = fakeRegistry(options)
  const time = fakeTimers()
  time.autoAdvance()
  const digest = registry.put(APP.repository, MEDIA_TYPES.ociIndex, IMAGE, 'v1')
  const content = createRegistryClient({ fetch: registry.fetch, clock: time.clock, keychain: anonymousKeychain })
  return {
    registry,
    writer: { content, clock: time.clock, timers: time.timers, random: () => 0.5 },
    image: { repository: APP, descriptor: { mediaType: MEDIA_TYPES.ociIndex, digest, size: IMAGE.length } },
  }
}

interface Statement {
  readonly digests?: readonly string[]
  readonly predicateType?: string
  readonly payloadType?: string
  readonly payload?: string
}

function envelope({ digests = [DIGEST], predicateType = SPDX, payloadType, payload }: Statement = {}): DsseEnvelope {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: digests.map((digest) => ({ digest: { sha256: digest.slice('sha256:'.length) } })),
    predicateType,
    predicate: {},
  }
  return {
    payloadType: payloadType ?? IN_TOTO_PAYLOAD_TYPE,
    payload: encodeUtf8(payload ?? JSON.stringify(statement)),
    signatures: [{ keyId: '', signature: encodeUtf8('signature') }],
  }
}

function bundle(content: SignedEntity['content']): Uint8Array {
  const key = { kind: 'public-key', hint: '' } as const
  return encodeUtf8(serializeBundle({ content, key, logEntries: [], timestamps: [] }))
}

const dsse = (statement: Statement = {}): Uint8Array => bundle({ kind: 'dsse', envelope: envelope(statement) })

function signature(name = 'signature'): SignedEntity {
  const content = { kind: 'message-signature', signature: encodeUtf8(name) } as const
  return { content, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
}

const payload = (manifestDigest: string): Uint8Array =>
  serializeSimpleSigning({ dockerReference: 'reg.example/team/app', manifestDigest })

const REFUSED: readonly (readonly [what: string, make: () => Attachable, code: string])[] = [
  ['a statement about another image', () => attachableBundle(dsse({ digests: [OTHER] }), DIGEST), 'IMAGES_SUBJECT'],
  ['a statement about nothing', () => attachableBundle(dsse({ digests: [] }), DIGEST), 'IMAGES_SUBJECT'],
  [
    'an envelope about another image',
    () => attachableEnvelope(envelope({ digests: [OTHER] }), DIGEST),
    'IMAGES_SUBJECT',
  ],
  [
    'an envelope of another type',
    () => attachableEnvelope(envelope({ payloadType: 'text/plain' }), DIGEST),
    'IMAGES_SUBJECT',
  ],
  ['a bundle of another type', () => attachableBundle(dsse({ payloadType: 'text/plain' }), DIGEST), 'IMAGES_SUBJECT'],
  ['a payload that is no statement', () => attachableEnvelope(envelope({ payload: 'x' }), DIGEST), 'IN_TOTO_MALFORMED'],
  ['a signature over a file', () => attachableBundle(bundle(signature().content), DIGEST), 'IMAGES_SUBJECT'],
  [
    'an older bundle',
    () =>
      attachableBundle(encodeUtf8(new TextDecoder().decode(dsse()).replace('.v0.3+json', '+json;version=0.2')), DIGEST),
    'IMAGES_SUBJECT',
  ],
  ['no bundle', () => attachableBundle(encodeUtf8('{}'), DIGEST), 'BUNDLE_MALFORMED'],
  ['a payload about another image', () => attachableSignature(signature(), payload(OTHER), DIGEST), 'IMAGES_SUBJECT'],
  [
    'a payload about a digest in other letters',
    () => attachableSignature(signature(), payload(DIGEST.toUpperCase()), DIGEST),
    'IMAGES_SUBJECT',
  ],
  [
    'a payload that is none',
    () => attachableSignature(signature(), encodeUtf8('{}'), DIGEST),
    'SIMPLE_SIGNING_MALFORMED',
  ],
  [
    'an envelope as a signature',
    () =>
      attachableSignature({ ...signature(), content: { kind: 'dsse', envelope: envelope() } }, payload(DIGEST), DIGEST),
    'IMAGES_SIGNATURE_LAYER',
  ],
]
for (const [what, make, code] of REFUSED) {
  test(`${what} is not attached`, () => {
    assert.throws(make, { code })
  })
}

const READY: readonly (readonly [what: string, make: () => Attachable, kind: 'signature' | 'attestation'])[] = [
  ['an attestation in a bundle', () => attachableBundle(dsse(), DIGEST), 'attestation'],
  ['one about several images', () => attachableBundle(dsse({ digests: [OTHER, DIGEST] }), DIGEST), 'attestation'],
  [
    'a signature in a bundle',
    () => attachableBundle(dsse({ predicateType: SIGN_PREDICATE_TYPE }), DIGEST),
    'signature',
  ],
  ['an envelope', () => attachableEnvelope(envelope(), DIGEST), 'attestation'],
  ['a signature over a payload', () => attachableSignature(signature(), payload(DIGEST), DIGEST), 'signature'],
]
for (const referrersApi of [true, false]) {
  for (const [what, make, kind] of READY) {
    test(`${what} is found again${referrersApi ? '' : ', without the referrers API'}`, async () => {
      const { writer, image } = setUp({ referrersApi })
      const ready = make()
      assert.equal(ready.kind, kind)
      await attach(writer, { image, attachable: ready })
      await attach(writer, { image, attachable: ready })
      const query = { repository: APP, digest: DIGEST, kind }
      const { attachments, unreadable } = await findAttachments(writer, query)
      assert.ok(attachments.length >= 1)
      assert.deepEqual(unreadable, [])
      const bytes = ready.layout === 'tag' ? ready.layer.bytes : ready.bytes
      assert.deepEqual(attachments[0]?.bytes, bytes)
    })
  }
}

test('what the registry does not list is not said to be attached', async () => {
  const { writer, image } = setUp()
  const content = {
    ...writer.content,
    referrers: async () => Promise.resolve({ descriptors: [], source: 'api' as const }),
  }
  await assert.rejects(attach({ ...writer, content }, { image, attachable: attachableBundle(dsse(), DIGEST) }), {
    code: 'IMAGES_UNCONFIRMED',
  })
})

test('what comes back as something else is not said to be attached', async () => {
  const { writer, image } = setUp()
  const blob = async (): Promise<Uint8Array> => Promise.resolve(dsse({ digests: [OTHER] }))
  for (const make of [
    () => attachableBundle(dsse(), DIGEST),
    () => attachableSignature(signature(), payload(DIGEST), DIGEST),
  ]) {
    await assert.rejects(attach({ ...writer, content: { ...writer.content, blob } }, { image, attachable: make() }), {
      code: 'IMAGES_UNCONFIRMED',
    })
  }
})

test('a list that is late is waited for', async () => {
  const { writer, image } = setUp()
  let looks = 0
  const referrers: AttachmentWriter['content']['referrers'] = async (...args) => {
    looks += 1
    return looks < 3 ? { descriptors: [], source: 'api' } : await writer.content.referrers(...args)
  }
  await attach(
    { ...writer, content: { ...writer.content, referrers } },
    { image, attachable: attachableBundle(dsse(), DIGEST) },
  )
  assert.ok(looks >= 3)
})
