/** Blobs: look, fetch, stream, upload, mount. @module */
import type { Descriptor } from '#formats/oci/descriptor'
import { digestOf, parseDigest } from '#formats/oci/digest'
import type { Repository } from '#formats/oci/reference'
import { contentLength, discardBody, readBytes } from '../http/body.js'
import type { FetchBody, FetchResponse } from '../http/fetch.js'
import { verifyContent, verifyingStream } from './content-digest.js'
import { RegistryError } from './registry-error.js'
import { resumingStream } from './resuming-stream.js'
import { registryRefusal, type RegistryTransport } from './transport.js'

type BlobName = Pick<Descriptor, 'digest' | 'size'>

/** A whole blob of at most `limit` bytes, checked. */
export async function fetchBlob(
  transport: RegistryTransport,
  repository: Repository,
  { digest, size, limit }: BlobName & { readonly limit: number },
): Promise<Uint8Array> {
  const what = `the blob ${digest}`
  if (size > limit) throw tooLarge(repository, limit, size)
  const response = await openResponse(transport, repository, { digest, start: 0 })
  const declared = contentLength(response)
  if (declared !== undefined && declared > limit) {
    await discardBody(response)
    throw tooLarge(repository, limit, declared)
  }
  const bytes = await readBytes(response, { limit: Math.max(size, 0), what })
  verifyContent(bytes, digest, repository.registry)
  return bytes
}

/** A blob piece by piece; it fails before its last piece unless the whole has the digest. What was cut off is gone on with. */
export async function* streamBlob(
  transport: RegistryTransport,
  repository: Repository,
  { digest, size }: BlobName,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = resumingStream(async (start) => await openResponse(transport, repository, { digest, start }))
  yield* verifyingStream(pieces, { digest, size }, repository.registry)
}

export async function hasBlob(transport: RegistryTransport, repository: Repository, digest: string): Promise<boolean> {
  const response = await transport({
    scope: { repository, actions: ['pull', 'push'] },
    path: `/blobs/${digest}`,
    method: 'HEAD',
  })
  await discardBody(response)
  if (response.status === 200) return true
  if (response.status === 404) return false
  throw await registryRefusal(response, repository, `the blob ${digest}`)
}

/** Uploads in one piece (POST, then PUT) unless the blob is there. */
export async function pushBlob(
  transport: RegistryTransport,
  repository: Repository,
  { bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string },
): Promise<Descriptor> {
  const digest = digestOf(bytes)
  const { length: size } = bytes
  if (!(await hasBlob(transport, repository, digest)))
    await upload(transport, repository, { digest, size, body: bytes })
  return { mediaType, digest, size }
}

/** Uploads what comes piece by piece, whether or not the blob is there. Each attempt opens it anew. */
export async function uploadBlob(
  transport: RegistryTransport,
  repository: Repository,
  { digest, size, open }: BlobName & { readonly open: () => AsyncIterable<Uint8Array> },
): Promise<void> {
  // The transport may have to send it twice (a login that has just run out): half a stream must not be taken for the whole.
  const body: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => open()[Symbol.asyncIterator]() }
  await upload(transport, repository, { digest, size, body })
}

/** In one piece: POST, then PUT. */
async function upload(
  transport: RegistryTransport,
  repository: Repository,
  { digest, size, body }: BlobName & { readonly body: FetchBody },
): Promise<void> {
  const location = await startUpload(transport, repository)
  const response = await transport({
    scope: { repository, actions: ['pull', 'push'] },
    path: withDigest(location, digest),
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
    body,
  })
  if (response.status !== 201 && response.status !== 204) {
    throw await registryRefusal(response, repository, `the upload of ${digest}`)
  }
  await discardBody(response)
}

/** True if the registry took the blob over; otherwise it has to be uploaded. */
export async function mountBlob(
  transport: RegistryTransport,
  repository: Repository,
  { digest, from }: { readonly digest: string; readonly from: Repository },
): Promise<boolean> {
  if (from.registry !== repository.registry) return false
  const query = new URLSearchParams({ mount: digest, from: from.repository })
  const response = await transport({
    scope: { repository, actions: ['pull', 'push'], also: from },
    path: `/blobs/uploads/?${query.toString()}`,
    method: 'POST',
    repeatable: true,
  })
  if (response.status === 202) await cancelUpload(transport, repository, response)
  else if (response.status !== 201) throw await registryRefusal(response, repository, `taking over ${digest}`)
  await discardBody(response)
  return response.status === 201
}

async function openResponse(
  transport: RegistryTransport,
  repository: Repository,
  { digest, start }: { readonly digest: string; readonly start: number },
): Promise<FetchResponse> {
  parseDigest(digest)
  const response = await transport({
    scope: { repository, actions: ['pull'] },
    path: `/blobs/${digest}`,
    ...(start > 0 && { headers: { range: `bytes=${String(start)}-` } }),
  })
  if (response.status === 200 || (start > 0 && response.status === 206)) return response
  throw await registryRefusal(response, repository, `the blob ${digest}`)
}

async function startUpload(transport: RegistryTransport, repository: Repository): Promise<string> {
  const response = await transport({
    scope: { repository, actions: ['pull', 'push'] },
    path: '/blobs/uploads/',
    method: 'POST',
    repeatable: true, // an upload that nobody finishes is cleaned up
  })
  if (response.status !== 202) throw await registryRefusal(response, repository, 'an upload')
  await discardBody(response)
  return uploadLocation(response, repository)
}

/** An upload goes on where the registry says: a path, or an address, maybe of another host. */
function uploadLocation(response: FetchResponse, repository: Repository): string {
  const location = response.headers.get('location') ?? ''
  const prefix = `/v2/${repository.repository}/`
  if (location.startsWith(prefix)) return location.slice(prefix.length - 1)
  if (/^https?:\/\//.test(location) && URL.canParse(location)) return location
  throw new RegistryError('REGISTRY_RESPONSE', `${repository.registry} does not say where to upload to`, {
    expected: 'a Location header',
    found: location === '' ? 'none' : 'one that is no address of this repository',
  })
}

function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

async function cancelUpload(
  transport: RegistryTransport,
  repository: Repository,
  started: FetchResponse,
): Promise<void> {
  try {
    const path = uploadLocation(started, repository)
    await discardBody(await transport({ scope: { repository, actions: ['pull', 'push'] }, path, method: 'DELETE' }))
  } catch {
    // Registries drop unfinished uploads by themselves; asking them to is politeness.
  }
}

function tooLarge(repository: Repository, limit: number, found: number): RegistryError {
  return new RegistryError('REGISTRY_TOO_LARGE', `${repository.registry} has something too large to be read whole`, {
    expected: `at most ${String(limit)} bytes`,
    found: `${String(found)} bytes`,
    hint: 'COSIGN_MAX_ATTACHMENT_SIZE raises the limit for attachments.',
  })
}
