/** A registry in memory that can be told to be an old, a strict or a lying one. @module */
import { isJsonObject, parseJson, type JsonValue } from '#encoding/json'
import { digestOf } from '#formats/oci/digest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { fakeNetwork, json, type FakeAnswer, type FakeNetwork, type SeenRequest } from './fake-fetch.js'

/** A manifest at rest. */
interface Stored {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** How the registry behaves. */
export interface FakeRegistryOptions {
  /** The referrers API is there (the default). */
  readonly referrersApi?: boolean
  /** Entity tags are sent and If-Match is honoured. */
  readonly etags?: boolean
  /** Called before every request; what it returns is the answer instead. */
  readonly intercept?: (request: SeenRequest, index: number) => FakeAnswer | undefined
}

/** A registry and what is in it. */
export interface FakeRegistry extends FakeNetwork {
  /** `repository@digest` or `repository:tag` → manifest. */
  readonly manifests: Map<string, Stored>
  /** `repository@digest` → bytes. */
  readonly blobs: Map<string, Uint8Array>
  /** Puts a manifest under its digest and, if given, a tag; returns the digest. */
  put(repository: string, mediaType: string, content: Uint8Array | string, tag?: string): string
  putBlob(repository: string, content: Uint8Array | string): string
}

/** Answers as distribution-spec 1.1 says, but for what the options change. */
export function fakeRegistry(options: FakeRegistryOptions = {}): FakeRegistry {
  const manifests = new Map<string, Stored>()
  const blobs = new Map<string, Uint8Array>()
  const state: State = { manifests, blobs, options }
  const network = fakeNetwork((request, index) => options.intercept?.(request, index) ?? answer(request, state))
  const bytesOf = (content: Uint8Array | string): Uint8Array =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content
  return {
    ...network,
    manifests,
    blobs,
    put: (repository, mediaType, content, tag) =>
      store(state, { repository, name: tag, mediaType, bytes: bytesOf(content) }),
    putBlob: (repository, content) => {
      const digest = digestOf(bytesOf(content))
      blobs.set(`${repository}@${digest}`, bytesOf(content))
      return digest
    },
  }
}

interface State {
  readonly manifests: Map<string, Stored>
  readonly blobs: Map<string, Uint8Array>
  readonly options: FakeRegistryOptions
}

const NOT_FOUND: FakeAnswer = json({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }, 404)

function answer(request: SeenRequest, state: State): FakeAnswer {
  const match = /^\/v2\/(.+?)\/(manifests|blobs|referrers|tags)\/(.*)$/.exec(request.url.pathname)
  const [, repository = '', kind = '', name = ''] = match ?? []
  if (kind === 'manifests') return manifestAnswer(request, state, `${repository} ${name}`)
  if (kind === 'blobs') return blobAnswer(request, state, `${repository} ${name}`)
  if (kind === 'referrers' && state.options.referrersApi !== false)
    return referrersAnswer(request, state, repository, name)
  if (kind === 'tags') return json({ name: repository, tags: tagsOf(state, repository) })
  return { status: 404, body: '404 page not found\n' }
}

function keyOf(repository: string, name: string): string {
  return `${repository}${name.includes(':') ? '@' : ':'}${name}`
}

function manifestAnswer(request: SeenRequest, state: State, target: string): FakeAnswer {
  const [repository = '', name = ''] = target.split(' ')
  const stored = state.manifests.get(keyOf(repository, name))
  const etag = stored === undefined ? undefined : `"${digestOf(stored.bytes)}"`
  if (request.method === 'PUT') {
    const condition = request.headers['if-match']
    if (state.options.etags === true && condition !== undefined && condition !== etag) return { status: 412 }
    const missing = missingBlobs(request.body, state, repository)
    if (missing) return json({ errors: [{ code: 'BLOB_UNKNOWN', message: 'blob unknown' }] }, 400)
    const digest = store(state, {
      repository,
      name,
      mediaType: request.headers['content-type'] ?? '',
      bytes: request.body,
    })
    const subject = subjectOf(request.body)
    const recorded = subject !== undefined && state.options.referrersApi !== false
    return { status: 201, headers: { 'docker-content-digest': digest, ...(recorded && { 'oci-subject': subject }) } }
  }
  if (stored === undefined) return NOT_FOUND
  if (request.method === 'DELETE') {
    state.manifests.delete(keyOf(repository, name))
    return { status: 202 }
  }
  return {
    headers: {
      'content-type': stored.mediaType,
      'content-length': String(stored.bytes.length),
      'docker-content-digest': digestOf(stored.bytes),
      ...(state.options.etags === true && etag !== undefined && { etag }),
    },
    body: stored.bytes,
  }
}

function store(
  state: State,
  manifest: { repository: string; name: string | undefined; mediaType: string; bytes: Uint8Array },
): string {
  const digest = digestOf(manifest.bytes)
  const stored = { mediaType: manifest.mediaType, bytes: manifest.bytes }
  state.manifests.set(`${manifest.repository}@${digest}`, stored)
  if (manifest.name !== undefined) state.manifests.set(keyOf(manifest.repository, manifest.name), stored)
  return digest
}

/** Strict registries (ECR) take a manifest only when all it names is there. */
function missingBlobs(bytes: Uint8Array, state: State, repository: string): boolean {
  const manifest = parseJson(bytes)
  if (!isJsonObject(manifest) || !Array.isArray(manifest['layers'])) return false
  const named = [manifest['config'], ...(manifest['layers'] as readonly JsonValue[])]
  return named.some((each) => {
    const digest = isJsonObject(each) ? each['digest'] : undefined
    return typeof digest !== 'string' || !state.blobs.has(`${repository}@${digest}`)
  })
}

function subjectOf(bytes: Uint8Array): string | undefined {
  const manifest = parseJson(bytes)
  const subject = isJsonObject(manifest) ? manifest['subject'] : undefined
  return isJsonObject(subject) && typeof subject['digest'] === 'string' ? subject['digest'] : undefined
}

function referrersAnswer(request: SeenRequest, state: State, repository: string, digest: string): FakeAnswer {
  const wanted = request.url.searchParams.get('artifactType')
  const manifests = [...state.manifests]
    .filter(([key, { bytes }]) => key.startsWith(`${repository}@`) && subjectOf(bytes) === digest)
    .map(([, { mediaType, bytes }]) => {
      const manifest = parseJson(bytes)
      const fields = isJsonObject(manifest) ? manifest : {}
      const { artifactType, annotations } = fields
      return { mediaType, digest: digestOf(bytes), size: bytes.length, artifactType, annotations }
    })
    .filter(({ artifactType }) => wanted === null || artifactType === wanted)
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })
  return { headers: { 'content-type': MEDIA_TYPES.ociIndex }, body }
}

function blobAnswer(request: SeenRequest, state: State, target: string): FakeAnswer {
  const [repository = '', name = ''] = target.split(' ')
  if (name === 'uploads/' && request.method === 'POST') {
    const mount = request.url.searchParams.get('mount')
    const from = request.url.searchParams.get('from')
    const source = state.blobs.get(`${from ?? ''}@${mount ?? ''}`)
    if (source !== undefined) {
      state.blobs.set(`${repository}@${mount ?? ''}`, source)
      return { status: 201 }
    }
    return { status: 202, headers: { location: `/v2/${repository}/blobs/uploads/1?state=x` } }
  }
  if (name.startsWith('uploads/') && request.method === 'PUT') {
    const digest = request.url.searchParams.get('digest') ?? ''
    if (digestOf(request.body) !== digest) return json({ errors: [{ code: 'DIGEST_INVALID' }] }, 400)
    state.blobs.set(`${repository}@${digest}`, request.body)
    return { status: 201 }
  }
  if (request.method === 'DELETE') return { status: 204 }
  const blob = state.blobs.get(`${repository}@${name}`)
  if (blob === undefined) return json({ errors: [{ code: 'BLOB_UNKNOWN' }] }, 404)
  return { headers: { 'content-length': String(blob.length) }, body: blob }
}

function tagsOf(state: State, repository: string): readonly string[] {
  return [...state.manifests.keys()]
    .filter((key) => key.startsWith(`${repository}:`))
    .map((key) => key.slice(repository.length + 1))
}
