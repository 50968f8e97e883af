import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { createRegistryClient } from '#clients/registry/client'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { BUNDLE_MEDIA_TYPE } from '#formats/bundle/media-type'
import { serializeBundle } from '#formats/bundle/serialize'
import type { Descriptor } from '#formats/oci/descriptor'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { attachmentTag } from '#formats/oci/tags'
import { serializeManifest } from '#formats/oci/manifest'
import { buildBundleManifest, LEGACY_ARTIFACT_TYPES } from '#images/bundle-manifest'
import { layerFromAttestation } from '#images/legacy-layer'
import { fakeRegistry, type FakeRegistry, type FakeRegistryOptions } from '#testing/fake-registry'
import { createTestPki } from '#testing/pki/pki'
import { signStatement } from '#testing/pki/signed-entity'
import { verify } from '#verify/verify'
import type { StoredAttestation } from '../cache/entry.js'
import { packAttestations } from '../cache/entry.js'
import type { EntryStore } from '../cache/entries.js'
import type { InventoryImage } from '../model.js'
import type { TrustedSigners, TrustPorts } from '../trust.js'
import { examineImage } from './examine-image.js'
import { createFetchGate } from './fetch-gate.js'

const pki = await createTestPki()
const ISSUER = 'https://issuer.example.com'
const leafOf = (email: string) =>
  pki.issueLeaf({ subjectAltNames: [{ kind: 'email', value: email }], fulcio: { issuer: ISSUER } })
const ci = await leafOf('ci@example.com')
const eve = await leafOf('eve@example.com')

const signedBy = (email: string): TrustedSigners => ({
  names: [email],
  verify: (entity, artifact) =>
    verify({
      entity,
      artifact,
      trust: pki.trusted,
      policy: { kind: 'identities', anyOf: [{ subject: { exact: email }, issuer: { exact: ISSUER } }] },
    }),
})
const TRUST: TrustPorts = { fingerprint: 'test', sboms: signedBy('ci@example.com'), vex: undefined }
const REPOSITORY = { registry: 'reg.example', repository: 'team/app' }

interface Bench {
  readonly registry: FakeRegistry
  readonly image: Descriptor
  attach(predicate: JsonValue, more?: Partial<Attaching>): Promise<void>
  examine(more?: Partial<Examining>): Promise<InventoryImage>
}

interface Attaching {
  readonly type: string
  readonly by: typeof ci
  readonly to: Descriptor
  readonly annotated: boolean
}

interface Examining {
  readonly digest: string
  readonly platforms: readonly string[]
  readonly running: readonly string[] | undefined
  readonly trust: TrustPorts
  readonly entries: EntryStore
  /** Of one attestation. */
  readonly limit: number
}

function memoryEntries(): EntryStore {
  const texts = new Map<string, string>()
  return {
    read: async (key) => texts.get(key),
    write: async (key, attestations: readonly StoredAttestation[]) => {
      texts.set(key, packAttestations(attestations))
    },
    keepOnly: async () => undefined,
  }
}

function setUp(options: FakeRegistryOptions = {}): Bench {
  const registry = fakeRegistry(options)
  const config = registry.putBlob(REPOSITORY.repository, '{}')
  const bytes = serializeManifest({
    kind: 'image',
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 },
    layers: [],
  })
  const digest = registry.put(REPOSITORY.repository, MEDIA_TYPES.ociManifest, bytes, 'v1')
  const image = { mediaType: MEDIA_TYPES.ociManifest, digest, size: bytes.length }
  return {
    registry,
    image,
    attach: async (predicate, more = {}) => {
      await attach(registry, predicate, {
        type: 'https://cyclonedx.org/bom',
        by: ci,
        to: image,
        annotated: true,
        ...more,
      })
    },
    examine: async (more = {}) => {
      const content = createRegistryClient({ fetch: registry.fetch, clock: () => 0, keychain: anonymousKeychain })
      const { trust = TRUST, entries = memoryEntries(), platforms = [], running, limit } = more
      return await examineImage(
        { images: { content, maxAttachmentSize: limit }, trust, entries, gate: createFetchGate(), platforms },
        {
          names: ['reg.example/team/app:v1'],
          repositories: [REPOSITORY],
          digest: more.digest ?? digest,
          basis: 'pinned',
          workloads: [],
          platforms: running,
          references: [],
        },
      )
    },
  }
}

function statementOf(digest: string, predicateType: string, predicate: JsonValue): JsonObject {
  const subject = [{ name: 'app', digest: { sha256: digest.slice('sha256:'.length) } }]
  return { _type: 'https://in-toto.io/Statement/v0.1', subject, predicateType, predicate }
}

async function attach(
  registry: FakeRegistry,
  predicate: JsonValue,
  { type, by, to, annotated }: Attaching,
): Promise<void> {
  const { entity } = await signStatement(pki, {
    statement: statementOf(to.digest, type, predicate),
    signer: by,
    logs: [{ shape: 'v1-dsse' }],
  })
  push(registry, { bundle: encodeUtf8(serializeBundle(entity)), to, type: annotated ? type : undefined })
}

function push(
  registry: FakeRegistry,
  { bundle, to, type }: { readonly bundle: Uint8Array; readonly to: Descriptor; readonly type: string | undefined },
): void {
  const digest = registry.putBlob(REPOSITORY.repository, bundle)
  const layer = { mediaType: BUNDLE_MEDIA_TYPE, digest, size: bundle.length }
  const built = buildBundleManifest({ subject: to, layer, content: 'dsse-envelope', predicateType: type, created: 0 })
  registry.put(REPOSITORY.repository, MEDIA_TYPES.ociManifest, built.bytes)
}

const bom = (more: JsonObject = {}, ...names: readonly string[]): JsonObject => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: (names.length === 0 ? ['lib'] : names).map((name) => ({ type: 'library', name })),
  ...more,
})
const reasonOf = ({ platforms, unknown }: InventoryImage): string =>
  unknown?.reason ?? platforms.map((each) => each.unknown?.reason ?? 'known').join(' ')
const ignoredCodes = ({ platforms }: InventoryImage): readonly string[] =>
  platforms.flatMap(({ ignored }) => ignored.map(({ code }) => code))

describe('an image is known only by what a pinned signer said of it', () => {
  const INCOMPLETE = { compositions: [{ aggregate: 'incomplete' }] }
  const OPENVEX = 'https://openvex.dev/ns/v0.2.0'
  const CUSTOM = 'https://cosign.sigstore.dev/attestation/v1'
  for (const [name, attachments, reason, ignored] of [
    ['nothing attached', [], 'SBOM_MISSING', []],
    ['a bill of materials', [[bom()]], 'known', []],
    ['without the annotation that says so', [[bom(), { annotated: false }]], 'known', []],
    ['by somebody else', [[bom(), { by: eve }]], 'SBOM_UNTRUSTED', ['VERIFY_IDENTITY']],
    ['by somebody else as well', [[bom()], [bom({}, 'evil'), { by: eve }]], 'known', ['VERIFY_IDENTITY']],
    ['provenance only', [[{}, { type: 'https://slsa.dev/provenance/v1' }]], 'SBOM_MISSING', []],
    [
      'provenance that says nothing of itself',
      [[bom(), { type: 'https://slsa.dev/provenance/v1', annotated: false }]],
      'SBOM_MISSING',
      [],
    ],
    ['one that cannot be read', [[{ ...bom(), components: 1 }]], 'SBOM_UNREADABLE', ['SBOM_MALFORMED']],
    [
      'one that cannot be read beside one that can',
      [[bom()], [{ bomFormat: 'CycloneDX', specVersion: '9' }]],
      'SBOM_UNREADABLE',
      ['SBOM_VERSION'],
    ],
    ['one of another format', [[{ hello: 1 }]], 'SBOM_UNREADABLE', ['SBOM_FORMAT']],
    [
      'an empty one',
      [[bom({ components: [], metadata: { component: { type: 'container', name: 'app' } } })]],
      'SBOM_EMPTY',
      [],
    ],
    ['an incomplete one', [[bom(INCOMPLETE)]], 'SBOM_INCOMPLETE', []],
    ['an incomplete one beside another', [[bom(INCOMPLETE)], [bom({}, 'other')]], 'known', []],
    ['in the wrapping of old', [[{ Data: JSON.stringify(bom()), Timestamp: '2022-01-01T00:00:00Z' }]], 'known', []],
    ['as something custom', [[{ Data: JSON.stringify(bom()) }, { type: CUSTOM }]], 'known', []],
    ['something custom that is something else', [[{ Data: 'test results' }, { type: CUSTOM }]], 'SBOM_MISSING', []],
    [
      'SPDX as text',
      [['SPDXVersion: SPDX-2.3\nPackageName: lib\n', { type: 'https://spdx.dev/Document' }]],
      'known',
      [],
    ],
    ['OpenVEX by nobody who counts', [[{}, { type: OPENVEX, by: eve }]], 'SBOM_MISSING', ['EXAMINE_VEX_UNTRUSTED']],
    ['OpenVEX by the signer of bills', [[bom()], [{}, { type: OPENVEX }]], 'known', ['EXAMINE_VEX_UNTRUSTED']],
    [
      'OpenVEX that hides what it is',
      [[bom()], [{}, { type: OPENVEX, annotated: false }]],
      'known',
      ['EXAMINE_VEX_UNTRUSTED'],
    ],
  ] as readonly (readonly [
    string,
    readonly (readonly [JsonValue, Partial<Attaching>?])[],
    string,
    readonly string[],
  ])[]) {
    test(name, async () => {
      const bench = setUp()
      for (const [predicate, more] of attachments) await bench.attach(predicate, more)
      const image = await bench.examine()
      assert.deepEqual([reasonOf(image), ignoredCodes(image)], [reason, ignored])
    })
  }

  test('at the tag of old, by which the layer’s annotations sign', async () => {
    const bench = setUp({ referrersApi: false })
    const type = 'https://cyclonedx.org/bom'
    const { entity } = await signStatement(pki, {
      statement: statementOf(bench.image.digest, type, bom()),
      signer: ci,
      logs: [{ shape: 'v1-dsse' }],
    })
    const { bytes, annotations, mediaType } = layerFromAttestation(entity, type)
    const digest = bench.registry.putBlob(REPOSITORY.repository, bytes)
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(encodeUtf8('{}')),
      size: 2,
    }
    const layers = [{ mediaType, digest, size: bytes.length, annotations }]
    const manifest = serializeManifest({ kind: 'image', mediaType: MEDIA_TYPES.ociManifest, config, layers })
    bench.registry.put(
      REPOSITORY.repository,
      MEDIA_TYPES.ociManifest,
      manifest,
      attachmentTag(bench.image.digest, 'att'),
    )
    const image = await bench.examine()
    assert.equal(reasonOf(image), 'known', JSON.stringify(image.platforms))
  })
})

describe('hostile attachments', () => {
  test('garbage that anybody can attach takes nothing away', async () => {
    const bench = setUp()
    await bench.attach(bom())
    const type = 'https://cyclonedx.org/bom'
    for (const text of ['', '{', '{}', '[]', `{"mediaType":"${BUNDLE_MEDIA_TYPE}"}`, `[${'[],'.repeat(3_000_000)}[]]`])
      push(bench.registry, { bundle: encodeUtf8(text), to: bench.image, type })
    const image = await bench.examine()
    assert.equal(reasonOf(image), 'known')
    assert.equal(ignoredCodes(image).length, 6)
    assert.ok(ignoredCodes(image).every((code) => code.startsWith('BUNDLE_')))
  })

  test('what cannot be fetched may be anything', async () => {
    let broken = ''
    const bench = setUp({
      intercept: ({ url }) => (url.pathname.endsWith(broken) && broken !== '' ? { status: 403 } : undefined),
    })
    await bench.attach(bom())
    await bench.attach(bom({}, 'other'))
    const [digest = ''] = [...bench.registry.blobs.entries()].flatMap(([key, bytes]) =>
      new TextDecoder().decode(bytes).includes('dsseEnvelope') ? [key.replace(/^.*@/, '')] : [],
    )
    broken = digest
    const image = await bench.examine()
    assert.equal(reasonOf(image), 'REGISTRY_FAILED')
    assert.equal(image.platforms[0]?.sboms.length, 1, 'what could be read still counts')
  })

  test('a list that cannot be had is no empty list', async () => {
    for (const part of ['/referrers/', '/manifests/sha256-']) {
      const bench = setUp({ intercept: ({ url }) => (url.pathname.includes(part) ? { status: 403 } : undefined) })
      await bench.attach(bom())
      assert.equal(reasonOf(await bench.examine()), 'REGISTRY_FAILED', part)
    }
  })

  const nested = (depth: number): JsonObject => {
    let inner: JsonObject = { type: 'library', name: 'innermost' }
    for (let level = 1; level < depth; level++)
      inner = { type: 'library', name: `level ${String(level)}`, components: [inner] }
    return { bomFormat: 'CycloneDX', specVersion: '1.6', components: [inner] }
  }
  for (const [name, predicate, reason] of [
    ['components in components', nested(60), 'known'],
    ['components too deep to be read', nested(1000), 'SBOM_UNTRUSTED'],
    ['a name of a megabyte', bom({}, 'x'.repeat(1_000_000)), 'SBOM_UNREADABLE'],
    [
      'a million and one components',
      bom({ components: new Array<JsonValue>(1_000_001).fill({ name: 'x' }) }),
      'SBOM_UNREADABLE',
    ],
  ] as const) {
    test(`a bill of its signer with ${name}`, async () => {
      const bench = setUp()
      await bench.attach(predicate)
      assert.equal(reasonOf(await bench.examine()), reason)
    })
  }

  test('what is larger than is read may be anything', async () => {
    const bench = setUp()
    await bench.attach(bom())
    assert.equal(reasonOf(await bench.examine({ limit: 100 })), 'REGISTRY_FAILED')
  })

  test('a place of which a part could not be read is no whole one the next time', async () => {
    const bench = setUp()
    const type = 'https://cyclonedx.org/bom'
    const layers: Descriptor[] = []
    for (const predicate of [bom(), { bomFormat: 'CycloneDX', specVersion: '9' }]) {
      const statement = statementOf(bench.image.digest, type, predicate)
      const { entity } = await signStatement(pki, { statement, signer: ci, logs: [{ shape: 'v1-dsse' }] })
      const { bytes, annotations, mediaType } = layerFromAttestation(entity, type)
      const digest = bench.registry.putBlob(REPOSITORY.repository, bytes)
      layers.push({ mediaType, digest, size: bytes.length, annotations })
    }
    const manifest = serializeManifest({
      kind: 'image',
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType: LEGACY_ARTIFACT_TYPES.attestation,
      config: { mediaType: LEGACY_ARTIFACT_TYPES.attestation, digest: digestOf(encodeUtf8('{}')), size: 2 },
      layers,
      subject: bench.image,
    })
    bench.registry.put(REPOSITORY.repository, MEDIA_TYPES.ociManifest, manifest)
    const entries = memoryEntries()
    for (const look of ['first', 'second', 'third']) {
      const image = await bench.examine({ entries })
      assert.equal(reasonOf(image), 'SBOM_UNREADABLE', look)
      const [sbom] = image.platforms[0]?.sboms ?? []
      assert.match((await entries.read(sbom?.key ?? '')) ?? '', /\["lib"\]/, 'what could be read is found')
    }
  })

  test('more than is looked at leaves the image open', async () => {
    const bench = setUp()
    await bench.attach(bom())
    for (let at = 0; at < 200; at++)
      push(bench.registry, {
        bundle: encodeUtf8(`{"${String(at)}":1}`),
        to: bench.image,
        type: 'https://cyclonedx.org/bom',
      })
    assert.equal(reasonOf(await bench.examine()), 'ATTACHMENTS_SKIPPED')
  })

  test('what was verified under one trust is fetched again under another', async () => {
    const bench = setUp()
    await bench.attach(bom())
    const entries = memoryEntries()
    assert.equal(reasonOf(await bench.examine({ entries })), 'known')
    const before = bench.registry.requests.length
    assert.equal(reasonOf(await bench.examine({ entries })), 'known')
    const again = bench.registry.lines().slice(before)
    assert.ok(!again.some((line) => line.includes('/blobs/')))
    const trust = { fingerprint: 'other', sboms: signedBy('eve@example.com'), vex: undefined }
    assert.equal(reasonOf(await bench.examine({ entries, trust })), 'SBOM_UNTRUSTED')
  })
})

describe('platforms', () => {
  function index(registry: FakeRegistry, ...manifests: readonly Descriptor[]): Descriptor {
    const bytes = serializeManifest({ kind: 'index', mediaType: MEDIA_TYPES.ociIndex, manifests })
    const digest = registry.put(REPOSITORY.repository, MEDIA_TYPES.ociIndex, bytes)
    return { mediaType: MEDIA_TYPES.ociIndex, digest, size: bytes.length }
  }
  function child(registry: FakeRegistry, platform: string): Descriptor {
    const [os = '', architecture = '', variant] = platform.split('/')
    const bytes = encodeUtf8(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: { mediaType: 'x', digest: digestOf(encodeUtf8(platform)), size: platform.length },
        layers: [],
      }),
    )
    const digest = registry.put(REPOSITORY.repository, MEDIA_TYPES.ociManifest, bytes)
    return { mediaType: MEDIA_TYPES.ociManifest, digest, size: bytes.length, platform: { os, architecture, variant } }
  }

  for (const [name, more, expected] of [
    ['all', {}, ['linux/amd64', 'linux/arm64/v8']],
    ['those that are asked for', { platforms: ['linux/arm64'] }, ['linux/arm64/v8']],
    [
      'those of the nodes, whatever is asked for',
      { platforms: ['linux/arm64'], running: ['linux/amd64'] },
      ['linux/amd64'],
    ],
    ['a variant', { platforms: ['linux/arm64/v8'] }, ['linux/arm64/v8']],
    ['none', { platforms: ['windows/amd64'] }, []],
    ['none of a longer name', { platforms: ['linux/arm'] }, []],
  ] as const) {
    test(`${name} count; attestations of BuildKit are no platform`, async () => {
      const bench = setUp()
      const { registry } = bench
      const attestation = {
        ...child(registry, 'unknown/unknown'),
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      }
      const whole = index(registry, child(registry, 'linux/amd64'), child(registry, 'linux/arm64/v8'), attestation)
      const image = await bench.examine({ digest: whole.digest, ...more })
      assert.deepEqual(
        image.platforms.map(({ platform }) => platform),
        expected,
      )
      assert.equal(image.unknown?.reason, expected.length === 0 ? 'PLATFORM_MISSING' : undefined)
    })
  }

  test('an annotation alone hides no platform', async () => {
    const bench = setUp()
    const { registry } = bench
    const hidden = {
      ...child(registry, 'linux/amd64'),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    }
    const image = await bench.examine({ digest: index(registry, hidden, child(registry, 'linux/arm64')).digest })
    assert.deepEqual(
      image.platforms.map(({ platform, unknown }) => [platform, unknown?.reason]),
      [
        ['linux/amd64', 'SBOM_MISSING'],
        ['linux/arm64', 'SBOM_MISSING'],
      ],
    )
  })

  test('indexes in indexes', async () => {
    const bench = setUp()
    const { registry } = bench
    const inner = index(registry, child(registry, 'linux/amd64'))
    const outer = index(registry, inner, child(registry, 'linux/arm64'))
    const image = await bench.examine({ digest: outer.digest })
    assert.deepEqual(
      image.platforms.map(({ platform }) => platform),
      ['linux/amd64', 'linux/arm64'],
    )
  })
})

describe('the fetch gate', () => {
  const at = { registry: 'r', repository: 'x' }
  const blob = (size: number): Descriptor => ({ mediaType: '', digest: 'sha256:x', size })
  const MEGABYTE = 1024 * 1024

  test('small ones go through together, large ones one after the other', async () => {
    const gate = createFetchGate()
    let inside = 0
    let most = 0
    const work = async (size: number): Promise<void> => {
      await gate.run(
        async () => new Uint8Array(),
        async (blobs) => {
          await blobs(at, blob(size))
          inside += 1
          most = Math.max(most, inside)
          await new Promise((resolve) => setImmediate(resolve))
          inside -= 1
        },
      )
    }
    await Promise.all([1, 2, 3].map(async () => await work(MEGABYTE)))
    assert.equal(most, 3)
    most = 0
    await Promise.all([1, 2, 3, 4].map(async () => await work(8 * MEGABYTE)))
    assert.equal(most, 1)
  })

  test('several of one place do not wait for themselves, and a failure lets the next one in', async () => {
    const gate = createFetchGate()
    const failing = gate.run(
      async () => new Uint8Array(),
      async (blobs) => {
        for (let each = 0; each < 4; each++) await blobs(at, blob(8 * MEGABYTE))
        throw new Error('later')
      },
    )
    await assert.rejects(failing, /later/)
    assert.equal(
      await gate.run(
        async () => new Uint8Array(),
        async (blobs) => (await blobs(at, blob(8 * MEGABYTE))).length,
      ),
      0,
    )
  })

  test('one place has a limit', async () => {
    const gate = createFetchGate()
    const greedy = gate.run(
      async () => new Uint8Array(),
      async (blobs) => {
        for (;;) await blobs(at, blob(100 * MEGABYTE))
      },
    )
    await assert.rejects(greedy, { code: 'EXAMINE_FETCH_LIMIT' })
  })
})
