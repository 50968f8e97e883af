/**
 * The inventory at size: 1,000 images with a signed bill of materials of 500 components each. Taking it (verifying and indexing
 * everything that a registry hands out without delay), taking it again when nothing is new, and questions as whole processes.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '#cli/node/files'
import { RegistryError } from '#clients/registry/registry-error'
import type { ContentReader, FetchedManifest } from '#clients/registry/registry'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { digestOf } from '#formats/oci/digest'
import type { Descriptor } from '#formats/oci/descriptor'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { serializeManifest } from '#formats/oci/manifest'
import { buildBundleManifest } from '#images/bundle-manifest'
import { BUNDLE_MEDIA_TYPE } from '#formats/bundle/media-type'
import { imagesOfText } from '#inventory/collect/image-list'
import { takeInventory } from '#inventory/take-inventory'
import { trustFingerprint, type TrustPorts } from '#inventory/trust'
import { createTestPki, type TestPki } from '#testing/pki/pki'
import { signStatement } from '#testing/pki/signed-entity'
import type { Policy } from '#verify/identity/identity-policy'
import { verify } from '#verify/verify'
import { median } from './statistics.js'

const IMAGES = 1000
const COMPONENTS = 500
const ROUNDS = 7
const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'countersign')
const POLICY: Policy = {
  kind: 'identities',
  anyOf: [{ subject: { exact: 'ci@example.com' }, issuer: { exact: 'https://issuer.example.com' } }],
}

/** As Syft writes them: a package URL, a CPE, a path, a hash. Names come from a pool, versions differ. */
function component(image: number, index: number): object {
  const name = `library-${String((image * 37 + index * 101) % 20_000)}`
  const version = `${String(index % 9)}.${String(image % 50)}.${String(index % 7)}`
  return {
    type: 'library',
    'bom-ref': `pkg:npm/${name}@${version}?package-id=${String(index)}`,
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    cpe: `cpe:2.3:a:${name}:${name}:${version}:*:*:*:*:*:*:*`,
    hashes: [{ alg: 'SHA-256', content: String(index).padStart(64, 'a') }],
    properties: [{ name: 'syft:location:0:path', value: `/app/node_modules/${name}/package.json` }],
  }
}

function sbom(image: number): object {
  const log4j = {
    type: 'library',
    group: 'org.apache.logging.log4j',
    name: 'log4j-core',
    version: image % 2 === 0 ? '2.14.1' : '2.17.1',
    purl: `pkg:maven/org.apache.logging.log4j/log4j-core@${image % 2 === 0 ? '2.14.1' : '2.17.1'}`,
  }
  const components = Array.from({ length: COMPONENTS }, (_, index) => component(image, index))
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    components: image % 100 < 2 ? [...components, log4j] : components,
  }
}

interface Registry {
  readonly content: ContentReader
  readonly names: readonly string[]
  readonly bytes: () => number
}

/** A registry in memory; nothing is as far away as that. */
async function fillRegistry(pki: TestPki): Promise<Registry> {
  const signer = await pki.issueLeaf({
    subjectAltNames: [{ kind: 'email', value: 'ci@example.com' }],
    fulcio: { issuer: 'https://issuer.example.com' },
  })
  const manifests = new Map<string, FetchedManifest>()
  const blobs = new Map<string, Uint8Array>()
  const referrers = new Map<string, Descriptor>()
  const names: string[] = []
  let total = 0
  for (let image = 0; image < IMAGES; image++) {
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(encodeUtf8(String(image))),
      size: 4,
    }
    const bytes = serializeManifest({ kind: 'image', mediaType: MEDIA_TYPES.ociManifest, config, layers: [] })
    const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length }
    manifests.set(subject.digest, { ...subject, bytes })
    const statement = {
      _type: 'https://in-toto.io/Statement/v0.1',
      subject: [{ name: 'app', digest: { sha256: subject.digest.slice('sha256:'.length) } }],
      predicateType: 'https://cyclonedx.org/bom',
      predicate: sbom(image),
    }
    const { entity } = await signStatement(pki, { statement, signer, logs: [{ shape: 'v1-dsse' }] })
    const bundle = encodeUtf8(serializeBundle(entity))
    const layer = { mediaType: BUNDLE_MEDIA_TYPE, digest: digestOf(bundle), size: bundle.length }
    const built = buildBundleManifest({
      subject,
      layer,
      content: 'dsse-envelope',
      predicateType: statement.predicateType,
      created: 0,
    })
    manifests.set(built.descriptor.digest, {
      mediaType: MEDIA_TYPES.ociManifest,
      digest: built.descriptor.digest,
      bytes: built.bytes,
    })
    blobs.set(layer.digest, bundle)
    referrers.set(subject.digest, built.descriptor)
    names.push(`registry.example.com/team-${String(image % 20)}/app-${String(image)}@${subject.digest}`)
    total += bundle.length
  }
  const missing = (name: string): RegistryError => new RegistryError('REGISTRY_NOT_FOUND', `there is no ${name}`)
  const content: ContentReader = {
    resolve: async (_, name) => {
      const found = manifests.get(name)
      if (found === undefined) throw missing(name)
      return { mediaType: found.mediaType, digest: found.digest, size: found.bytes.length }
    },
    manifest: async (_, name) => {
      const found = manifests.get(name)
      if (found === undefined) throw missing(name)
      return found
    },
    blob: async (_, { digest }) => {
      const found = blobs.get(digest)
      if (found === undefined) throw missing(digest)
      return found
    },
    openBlob: () => {
      throw missing('stream')
    },
    referrers: async (_, digest) => {
      const found = referrers.get(digest)
      return { source: 'api', descriptors: found === undefined ? [] : [found] }
    },
  }
  return { content, names, bytes: () => total }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** One record for each of many packages, and the one that everybody asks about. */
function writeRecords(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true })
  const record = (id: string, ecosystem: string, name: string, fixed: string): string =>
    JSON.stringify({
      schema_version: '1.7.0',
      id,
      modified: '2024-01-01T00:00:00Z',
      published: '2024-01-01T00:00:00Z',
      aliases: id === 'GHSA-jfh8-c2jp-5v3q' ? ['CVE-2021-44228'] : [],
      summary: 'A vulnerability',
      details: 'It is like this. '.repeat(60),
      affected: [
        { package: { ecosystem, name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }] },
      ],
    })
  writeFileSync(
    join(folder, 'log4j.json'),
    record('GHSA-jfh8-c2jp-5v3q', 'Maven', 'org.apache.logging.log4j:log4j-core', '2.15.0'),
  )
  for (let at = 0; at < count; at++)
    writeFileSync(
      join(folder, `${String(at)}.json`),
      record(`X-${String(at)}`, 'npm', `library-${String(at * 7)}`, '4.0.0'),
    )
}

function question(words: readonly string[], expected: number): void {
  const times: number[] = []
  const processor: number[] = []
  let memory = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    const { status, stderr } = spawnSync(
      '/usr/bin/env',
      ['time', '-f', '%U %S %M', process.execPath, PROGRAM, 'inventory', 'find', ...words],
      { encoding: 'utf8', maxBuffer: 1 << 30 },
    )
    times.push(performance.now() - start)
    if (status !== expected) throw new Error(`${words.join(' ')}: ${String(status)} ${stderr}`)
    const [user = 0, system = 0, peak = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
    processor.push((user + system) * 1000)
    memory = Math.max(memory, peak)
  }
  console.log(
    `  ${words
      .filter((word) => !word.startsWith('/') && !/^--(?:cache|name)$/.test(word))
      .join(' ')
      .padEnd(
        44,
      )} ${median(times).toFixed(0).padStart(6)} ms  ${median(processor).toFixed(0).padStart(6)} ms  ${(memory / 1024).toFixed(0).padStart(5)} MiB`,
  )
}

const folder = mkdtempSync(join(tmpdir(), 'countersign-inventory-'))
try {
  const pki = await createTestPki()
  const registry = await fillRegistry(pki)
  const signers: TrustPorts['sboms'] = {
    names: ['ci@example.com'],
    verify: (entity, artifact) => verify({ entity, artifact, trust: pki.trusted, policy: POLICY }),
  }
  const fingerprint = trustFingerprint({ sboms: POLICY, vex: undefined, evidence: {}, root: pki.trusted })
  const take = async (): Promise<void> => {
    const inventory = await takeInventory(
      {
        images: { content: registry.content },
        trust: { fingerprint, sboms: signers, vex: undefined },
        files: nodeFiles(),
        folder: join(folder, 'inventory', 'default'),
        clock: () => Date.now(),
      },
      {
        collected: [{ sightings: imagesOfText(registry.names.join('\n')), source: 'the benchmark', notes: [] }],
        platforms: [],
      },
    )
    const verified = inventory.images.filter(({ platforms }) => platforms.some(({ sboms }) => sboms.length > 0))
    if (verified.length !== IMAGES) throw new Error(`only ${String(verified.length)} verified`)
  }
  console.log(
    `${String(IMAGES)} images × ${String(COMPONENTS)} components, ${(registry.bytes() / 1e6).toFixed(0)} MB of attestations`,
  )
  console.log(`  take (fetch from memory, verify, index)      ${(await timed(take)).toFixed(0).padStart(6)} ms`)
  console.log(`  take again, nothing new                      ${(await timed(take)).toFixed(0).padStart(6)} ms`)
  const osv = join(folder, 'osv')
  writeRecords(osv, 2000)
  console.log('questions, whole processes (median: wall clock, processor; peak memory)')
  const where = ['--cache', folder]
  question([...where, 'log4j-core'], 1)
  question([...where, 'no-such-library'], 0)
  question([...where, '--purl', 'pkg:npm/library-77'], 1)
  question([...where, '--cve', 'CVE-2021-44228', '--osv', osv], 1)
  question([...where, '--osv', osv], 1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
