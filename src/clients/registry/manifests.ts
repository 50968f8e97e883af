/** Manifests: resolve, fetch, push, delete. @module */
import type { Descriptor } from '#formats/oci/descriptor'
import { digestOf, isDigest } from '#formats/oci/digest'
import { MANIFEST_MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { contentLength, discardBody, readBytes } from '../http/body.js'
import type { FetchResponse } from '../http/fetch.js'
import { namesDigest, verifyContent } from './content-digest.js'
import type { FetchedManifest, ManifestName, OutgoingManifest, WriteCondition, WrittenManifest } from './registry.js'
import { RegistryError } from './registry-error.js'
import { registryRefusal, type RegistryTransport } from './transport.js'

const ACCEPT = MANIFEST_MEDIA_TYPES.join(', ')
/** Registries cap manifests at 4 MiB (distribution-spec, "Pushing Manifests"); some large indexes pass that. */
const MANIFEST_LIMIT = 16 * 1024 * 1024

/** @throws RegistryError REGISTRY_NOT_FOUND and others */
export async function resolveManifest(
  transport: RegistryTransport,
  repository: Repository,
  name: ManifestName,
): Promise<Descriptor | undefined> {
  const response = await transport({ ...read(repository, name), method: 'HEAD' })
  await discardBody(response)
  // A HEAD has no body to give a reason in, so every refusal but "not there" is left to the GET to explain.
  if (response.status === 404) throw await registryRefusal(response, repository, nameOf(repository, name))
  const digest = response.headers.get('docker-content-digest')
  const size = contentLength(response)
  const mediaType = mediaTypeOf(response)
  if (response.status !== 200 || digest === null || size === undefined || mediaType === '') return undefined
  if (!isDigest(digest)) return undefined
  if (namesDigest(name) && digest !== name) throw otherDigest(repository, name, digest)
  return { mediaType, digest, size }
}

/** Fetches a manifest and checks it against the digest in its name, or in the answer. */
export async function fetchManifest(
  transport: RegistryTransport,
  repository: Repository,
  name: ManifestName,
): Promise<FetchedManifest> {
  const response = await transport(read(repository, name))
  const what = nameOf(repository, name)
  if (response.status !== 200) throw await registryRefusal(response, repository, what)
  const mediaType = mediaTypeOf(response)
  const bytes = await readBytes(response, { limit: MANIFEST_LIMIT, what })
  const stated = namesDigest(name) ? name : response.headers.get('docker-content-digest')
  // Of a tag nothing is known beforehand; yet what the answer says of itself must be true.
  if (stated !== null) verifyContent(bytes, stated, repository.registry)
  const etag = response.headers.get('etag')
  return { mediaType, digest: stated ?? digestOf(bytes), bytes, ...(etag !== null && { etag }) }
}

/** @throws RegistryError REGISTRY_CONFLICT if the condition does not hold. */
export async function putManifest(
  transport: RegistryTransport,
  { repository, name }: { readonly repository: Repository; readonly name: ManifestName },
  { mediaType, bytes, ifMatch }: OutgoingManifest & WriteCondition,
): Promise<WrittenManifest> {
  const digest = digestOf(bytes)
  const response = await transport({
    scope: { repository, actions: ['pull', 'push'] },
    path: `/manifests/${name}`,
    method: 'PUT',
    headers: { 'content-type': mediaType, ...(ifMatch !== undefined && { 'if-match': ifMatch }) },
    body: bytes,
    // A tag may have changed by the time of a second try, which would then undo the change.
    repeatable: name.includes(':'),
  })
  if (response.status !== 201 && response.status !== 200 && response.status !== 202) {
    throw await registryRefusal(response, repository, nameOf(repository, name))
  }
  await discardBody(response)
  const stated = response.headers.get('docker-content-digest')
  if (stated !== null && stated !== digest) throw otherDigest(repository, digest, stated)
  return { digest, subjectRecorded: response.headers.get('oci-subject') !== null }
}

/** Deletes a manifest or a tag; one that is gone is no error. */
export async function deleteManifest(
  transport: RegistryTransport,
  repository: Repository,
  name: ManifestName,
): Promise<void> {
  const response = await transport({
    scope: { repository, actions: ['pull', 'push', 'delete'] },
    path: `/manifests/${name}`,
    method: 'DELETE',
  })
  if (response.status >= 300 && response.status !== 404) {
    throw await registryRefusal(response, repository, nameOf(repository, name))
  }
  await discardBody(response)
}

/** How a manifest is called in texts. */
export function nameOf({ registry, repository }: Repository, name: ManifestName): string {
  return `${registry}/${repository}${name.includes(':') ? '@' : ':'}${name}`
}

function read(repository: Repository, name: ManifestName): Parameters<RegistryTransport>[0] {
  return { scope: { repository, actions: ['pull'] }, path: `/manifests/${name}`, headers: { accept: ACCEPT } }
}

function mediaTypeOf(response: FetchResponse): string {
  return (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
}

function otherDigest(repository: Repository, expected: string, found: string): RegistryError {
  return new RegistryError('REGISTRY_DIGEST', `${repository.registry} answers with another digest`, { expected, found })
}
