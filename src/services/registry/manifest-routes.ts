/** Manifests by tag and by digest, and what refers to them. @module */
import { digest as digestOf } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { mediaType, readBody } from '#serving/body'
import { bytes, empty, json } from '#serving/responses'
import type { HeaderRecord } from '#serving/responses'
import { queryOf, route } from '#serving/routes'
import type { Route } from '#serving/routes'
import { ImageStoreError } from './errors.js'
import { readManifest } from './manifest.js'
import type { ManifestFacts } from './manifest.js'
import { parseDigest, parseName, parseReference, parseTag } from './names.js'
import type { Digest } from './names.js'
import type { RegistryContext } from './registry.js'
import type { StoredManifest } from './storage.js'

/** The specification asks registries to take at least this much, and clients not to send more. */
const MAX_MANIFEST_BYTES = 4 * 2 ** 20
const MAX_TAGS_A_PUSH = 10

type ByReference = Readonly<Record<'name' | 'reference', string>>

export function manifestRoutes(context: RegistryContext): readonly Route[] {
  const { storage } = context
  return [
    route('GET', '/v2/{name+}/manifests/{reference}', getManifest),
    route('PUT', '/v2/{name+}/manifests/{reference}', putManifest),
    route('DELETE', '/v2/{name+}/manifests/{reference}', deleteManifest),
    ...(context.referrersApi ? [route('GET', '/v2/{name+}/referrers/{digest}', listReferrers)] : []),
  ]

  async function getManifest(_: Request, params: ByReference): Promise<Response> {
    const name = parseName(params.name)
    const digest = await resolve(name, params.reference)
    const manifest = await load(name, digest)
    return bytes(200, manifest.bytes, manifest.mediaType, {
      'docker-content-digest': digest.text,
      etag: `"${digest.text}"`,
    })
  }

  async function putManifest(request: Request, params: ByReference): Promise<Response> {
    const name = parseName(params.name)
    const reference = parseReference(params.reference)
    const tags = 'tag' in reference ? [reference.tag] : extraTags(request)
    const content = await readBody(request, { maxBytes: MAX_MANIFEST_BYTES })
    const digest = contentDigest(content, 'digest' in reference ? reference.digest : undefined)
    const facts = readManifest(mediaType(request) ?? '', content)
    // cosign 3's `load` pushes what is attached to an image before the layers of it; the specification lets both be.
    if (!context.allowMissingBlobs && facts.subject === undefined) await requireBlobs(name, facts)
    await storage.putManifest(name, digest, { mediaType: facts.mediaType, bytes: content }, facts.subject)
    for (const tag of tags) await storage.putTag(name, tag, digest)
    return empty(201, pushedHeaders({ name, digest, tags, subject: context.referrersApi ? facts.subject : undefined }))
  }

  async function deleteManifest(_: Request, params: ByReference): Promise<Response> {
    const name = parseName(params.name)
    const reference = parseReference(params.reference)
    if ('tag' in reference) {
      if (!(await storage.deleteTag(name, reference.tag))) throw unknownManifest(params.reference)
      return empty(202)
    }
    const { mediaType: type, bytes: content } = await load(name, reference.digest)
    await storage.deleteManifest(name, reference.digest, readManifest(type, content).subject)
    return empty(202)
  }

  async function listReferrers(request: Request, params: { name: string; digest: string }): Promise<Response> {
    const name = parseName(params.name)
    const found = await storage.listReferrers(name, parseDigest(params.digest))
    const sorted = [...found].sort((a, b) => (a.text < b.text ? -1 : 1))
    const descriptors = await Promise.all(sorted.map((digest) => describe(name, digest)))
    const wanted = queryOf(request).get('artifactType')
    const manifests = descriptors
      .filter((one) => one !== undefined)
      .filter((one) => wanted === null || one.artifactType === wanted)
    return json(
      200,
      { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests },
      {
        'content-type': 'application/vnd.oci.image.index.v1+json',
        ...(wanted !== null && { 'oci-filters-applied': 'artifactType' }),
      },
    )
  }

  async function resolve(name: string, text: string): Promise<Digest> {
    const reference = parseReference(text)
    if ('digest' in reference) return reference.digest
    const digest = await storage.getTag(name, reference.tag)
    if (digest === undefined) throw unknownManifest(text)
    return digest
  }

  async function load(name: string, digest: Digest): Promise<StoredManifest> {
    const manifest = await storage.getManifest(name, digest)
    if (manifest === undefined) throw unknownManifest(digest.text)
    return manifest
  }

  async function requireBlobs(name: string, facts: ManifestFacts): Promise<void> {
    const sizes = await Promise.all(facts.blobs.map((blob) => storage.blobSize(name, blob)))
    const missing = facts.blobs.find((_, index) => sizes[index] === undefined)
    if (missing === undefined) return
    throw new ImageStoreError('IMAGE_STORE_MANIFEST_BLOB_UNKNOWN', 'the manifest names a blob that is not here', {
      found: missing.text,
      hint: 'push the blobs first, then the manifest',
    })
  }

  async function describe(name: string, digest: Digest): Promise<ReferrerDescriptor | undefined> {
    const manifest = await storage.getManifest(name, digest)
    if (manifest === undefined) return undefined
    const { mediaType: type, artifactType, annotations } = readManifest(manifest.mediaType, manifest.bytes)
    return { mediaType: type, digest: digest.text, size: manifest.bytes.length, artifactType, annotations }
  }
}

interface ReferrerDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType: string | undefined
  readonly annotations: Readonly<Record<string, string>> | undefined
}

function contentDigest(content: Uint8Array, stated: Digest | undefined): Digest {
  const algorithm = stated?.algorithm ?? 'sha256'
  const found = parseDigest(`${algorithm}:${encodeHex(digestOf(algorithm, content))}`)
  if (stated === undefined || stated.hex === found.hex) return found
  throw new ImageStoreError('IMAGE_STORE_DIGEST_MISMATCH', 'the manifest has another digest', {
    expected: stated.text,
    found: found.text,
  })
}

/** Further tags for a push by digest (distribution specification, end-7b). */
function extraTags(request: Request): readonly string[] {
  const tags = queryOf(request).getAll('tag').map(parseTag)
  if (tags.length <= MAX_TAGS_A_PUSH) return tags
  throw new ImageStoreError('IMAGE_STORE_TAG_INVALID', 'too many tags in one push', {
    expected: `at most ${String(MAX_TAGS_A_PUSH)}`,
  })
}

interface Pushed {
  readonly name: string
  readonly digest: Digest
  readonly tags: readonly string[]
  readonly subject: Digest | undefined
}

/** `OCI-Subject` tells the client that the referrers API did its part, so no fallback tag has to be written. */
function pushedHeaders({ name, digest, tags, subject }: Pushed): HeaderRecord {
  return {
    location: `/v2/${name}/manifests/${digest.text}`,
    'docker-content-digest': digest.text,
    ...(tags.length > 0 && { 'oci-tag': tags }),
    ...(subject !== undefined && { 'oci-subject': subject.text }),
  }
}

function unknownManifest(reference: string): ImageStoreError {
  return new ImageStoreError('IMAGE_STORE_MANIFEST_UNKNOWN', 'no such manifest in this repository', {
    found: reference.slice(0, 140),
  })
}
