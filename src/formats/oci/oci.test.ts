import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import type { Manifest } from './descriptor.js'
import { digestOf, isDigest, parseDigest } from './digest.js'
import { parseManifest, serializeManifest } from './manifest.js'
import { MEDIA_TYPES } from './media-types.js'
import {
  isPlainHttpRegistry,
  parseReference,
  parseRepository,
  referenceName,
  repositoryName,
  withDigest,
  withTag,
} from './reference.js'
import { attachmentTag, referrersTag } from './tags.js'

const HEX = 'ab'.repeat(32)
const DIGEST = `sha256:${HEX}`

// Left: what a user writes; right: what go-containerregistry's name package calls it.
const NAMES: readonly [string, string][] = [
  ['ubuntu', 'index.docker.io/library/ubuntu:latest'],
  ['ubuntu:22.04', 'index.docker.io/library/ubuntu:22.04'],
  ['docker.io/ubuntu', 'index.docker.io/library/ubuntu:latest'],
  ['index.docker.io/ubuntu', 'index.docker.io/library/ubuntu:latest'],
  ['user/app', 'index.docker.io/user/app:latest'],
  ['docker.io/user/app:v1', 'index.docker.io/user/app:v1'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['localhost:5000/a/b/c:x', 'localhost:5000/a/b/c:x'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app:latest'],
  ['[::1]:5000/app', '[::1]:5000/app:latest'],
  ['ghcr.io/Org/app'.toLowerCase(), 'ghcr.io/org/app:latest'],
  ['registry.example/app:A_b.c-D', 'registry.example/app:A_b.c-D'],
  ['REGISTRY.example/app', 'REGISTRY.example/app:latest'],
  [`app@${DIGEST}`, `index.docker.io/library/app@${DIGEST}`],
  [`ghcr.io/org/app:v1@${DIGEST}`, `ghcr.io/org/app@${DIGEST}`],
  [`localhost:5000/app@${DIGEST}`, `localhost:5000/app@${DIGEST}`],
]

test('references are read as go-containerregistry reads them', () => {
  for (const [text, name] of NAMES) {
    assert.equal(referenceName(parseReference(text)), name)
    assert.equal(referenceName(parseReference(name)), name)
  }
})

test('what go-containerregistry refuses is refused', () => {
  for (const text of [
    '',
    ':',
    '@',
    'app:',
    ':tag',
    'App',
    'ghcr.io/',
    'ghcr.io/Org/app',
    'app:ta g',
    'app:täg',
    `app:${'t'.repeat(129)}`,
    'a'.repeat(256),
    'app@sha256:abc',
    `app@sha256:${HEX.toUpperCase()}`,
    `app@sha512:${HEX}${HEX}`,
    `app@${DIGEST}@${DIGEST}`,
    `@${DIGEST}`,
    `app@${DIGEST}0`,
    'ghcr.io:port/app',
    'https://ghcr.io/app',
    'user@host.example/app',
    'ghcr.io/app\n',
    'app:v1:v2',
    '[::1/app',
    'a b/c',
  ]) {
    assert.throws(() => parseReference(text), { code: 'OCI_REFERENCE' }, JSON.stringify(text))
  }
})

test('repositories', () => {
  assert.equal(repositoryName(parseRepository('ghcr.io/org/app')), 'ghcr.io/org/app')
  assert.equal(repositoryName(parseRepository('ubuntu')), 'index.docker.io/library/ubuntu')
  for (const text of ['app:v1', `app@${DIGEST}`, 'ghcr.io/'])
    assert.throws(() => parseRepository(text), { code: 'OCI_REFERENCE' })
  const reference = parseReference('ghcr.io/org/app:v1')
  assert.equal(referenceName(withDigest(reference, DIGEST)), `ghcr.io/org/app@${DIGEST}`)
  assert.equal(referenceName(withTag(reference, 'v2')), 'ghcr.io/org/app:v2')
})

test('plain HTTP is for the machine itself and private addresses', () => {
  for (const registry of [
    'localhost:5000',
    '127.0.0.1',
    '127.0.0.1:80',
    '[::1]:5000',
    'registry.localhost',
    'registry.localhost:5000',
    '10.1.2.3',
    '10.1.2.3:5000',
    '172.16.0.1',
    '172.31.255.255:5000',
    '192.168.1.1',
  ])
    assert.ok(isPlainHttpRegistry(registry), registry)
  for (const registry of [
    'localhost',
    'ghcr.io',
    '172.32.0.1',
    '172.15.0.1',
    '11.0.0.1',
    '192.169.1.1',
    '127.0.0.2',
    'localhost.example',
    '10.example.com',
    'x127.0.0.1',
  ])
    assert.equal(isPlainHttpRegistry(registry), false, registry)
})

test('digests', () => {
  assert.equal(digestOf(encodeUtf8('{}')), 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
  assert.deepEqual(parseDigest(`sha512:${HEX}${HEX}`), { algorithm: 'sha512', hex: HEX + HEX })
  for (const text of [
    '',
    'sha256',
    'sha256:',
    `sha256:${HEX}0`,
    `sha256:${HEX.toUpperCase()}`,
    `md5:${'a'.repeat(32)}`,
    `sha512:${HEX}`,
    `SHA256:${HEX}`,
    `sha256:${HEX}\n`,
    `constructor:${HEX}`,
  ]) {
    assert.equal(isDigest(text), false)
    assert.throws(() => parseDigest(text), { code: 'OCI_DIGEST' }, text)
  }
})

test('tags of attachments', () => {
  assert.equal(attachmentTag(DIGEST, 'sig'), `sha256-${HEX}.sig`)
  assert.equal(attachmentTag(DIGEST, 'att', 'prefix-'), `prefix-sha256-${HEX}.att`)
  assert.equal(referrersTag(DIGEST), `sha256-${HEX}`)
  assert.throws(() => attachmentTag('sha256:../../x', 'sig'), { code: 'OCI_DIGEST' })
})

const descriptor = (mediaType: string, size = 2): { mediaType: string; size: number; digest: string } => ({
  mediaType,
  size,
  digest: DIGEST,
})

test("a bundle's manifest is written byte for byte as cosign does", () => {
  const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  const manifest: Manifest = {
    kind: 'image',
    mediaType: MEDIA_TYPES.ociManifest,
    config: { ...descriptor(MEDIA_TYPES.ociEmpty), artifactType: bundle },
    layers: [descriptor(bundle, 9)],
    annotations: {
      'org.opencontainers.image.created': '2025-01-01T00:00:00Z',
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': 'https://x/?a&b',
    },
    subject: descriptor(MEDIA_TYPES.ociManifest, 7),
    artifactType: bundle,
  }
  const text = decodeUtf8(serializeManifest(manifest))
  assert.equal(
    text,
    `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociManifest}","config":{"mediaType":"${MEDIA_TYPES.ociEmpty}","size":2,"digest":"${DIGEST}","artifactType":"${bundle}"},"layers":[{"mediaType":"${bundle}","size":9,"digest":"${DIGEST}"}],"annotations":{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://x/?a\\u0026b","org.opencontainers.image.created":"2025-01-01T00:00:00Z"},"subject":{"mediaType":"${MEDIA_TYPES.ociManifest}","size":7,"digest":"${DIGEST}"},"artifactType":"${bundle}"}`,
  )
  assert.equal(decodeUtf8(serializeManifest(parseManifest(text))), text)
})

test('indexes read back', () => {
  const platform = { architecture: 'arm64', os: 'linux', variant: 'v8', osVersion: undefined }
  const index: Manifest = {
    kind: 'index',
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [
      {
        ...descriptor(MEDIA_TYPES.ociManifest),
        platform,
        annotations: { a: 'b' },
        data: Uint8Array.of(1),
        urls: ['u'],
      },
    ],
  }
  const text = decodeUtf8(serializeManifest(index))
  const read = parseManifest(text)
  assert.equal(decodeUtf8(serializeManifest(read)), text)
  assert.deepEqual(read.kind === 'index' && read.manifests[0]?.platform, platform)
})

test('the document says what it is; the answer of the registry only where it does not', () => {
  const untyped = { schemaVersion: 2, config: descriptor('x'), layers: [] }
  const text = JSON.stringify(untyped)
  assert.equal(parseManifest(text).mediaType, MEDIA_TYPES.ociManifest)
  assert.equal(
    parseManifest(text, `${MEDIA_TYPES.dockerManifest}; charset=utf-8`).mediaType,
    MEDIA_TYPES.dockerManifest,
  )
  assert.equal(parseManifest('{"manifests":[]}').kind, 'index')
  assert.throws(
    () => parseManifest(JSON.stringify({ ...untyped, mediaType: MEDIA_TYPES.ociManifest }), MEDIA_TYPES.ociIndex),
    { code: 'OCI_MEDIA_TYPE' },
  )
  assert.throws(() => parseManifest(text, 'application/vnd.docker.distribution.manifest.v1+prettyjws'), {
    code: 'OCI_MEDIA_TYPE',
  })
  assert.throws(() => parseManifest(JSON.stringify({ ...untyped, manifests: [] })), { code: 'OCI_MANIFEST' })
})

test('manifests of another form are refused', () => {
  const good = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptor('x'),
    layers: [descriptor('y')],
  }
  for (const change of [
    { config: undefined },
    { config: 1 },
    { config: { ...descriptor('x'), digest: 'x' } },
    { config: { ...descriptor('x'), size: -1 } },
    { config: { ...descriptor('x'), size: 1.5 } },
    { config: { ...descriptor('x'), size: '1' } },
    { layers: {} },
    { layers: [null] },
    { annotations: [] },
    { annotations: { a: 1 } },
    { subject: {} },
    { artifactType: 1 },
    { layers: [{ ...descriptor('x'), data: '*' }] },
  ]) {
    assert.throws(
      () => parseManifest(JSON.stringify({ ...good, ...change })),
      { code: 'OCI_MANIFEST' },
      JSON.stringify(change),
    )
  }
  for (const source of ['', 'null', '[]']) assert.throws(() => parseManifest(source), { code: 'OCI_MANIFEST' })
})

test('any text is a reference, a digest or a manifest, or is refused with a code', () => {
  const parts = fc
    .array(fc.constantFrom('a', 'A', '.', ':', '/', '@', DIGEST, 'localhost', '5000', 'sha256:', '-', '_', '[::1]'), {
      maxLength: 8,
    })
    .map((all) => all.join(''))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), parts, fc.json()), (text) => {
      for (const parse of [parseReference, parseRepository, parseDigest, parseManifest]) {
        try {
          parse(text)
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
  const shaped = fc.record(
    {
      mediaType: fc.constantFrom(MEDIA_TYPES.ociManifest, MEDIA_TYPES.ociIndex),
      config: fc.jsonValue(),
      layers: fc.jsonValue(),
      manifests: fc.jsonValue(),
      annotations: fc.jsonValue(),
      subject: fc.jsonValue(),
    },
    { requiredKeys: ['mediaType'] },
  )
  fc.assert(
    fc.property(shaped, (value) => {
      try {
        parseManifest(JSON.stringify(value))
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
