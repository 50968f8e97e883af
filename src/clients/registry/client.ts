/** A registry client for one invocation: it remembers logins, schemes and what it fetched by digest. @module */
import { isJsonObject, type JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseDigest } from '#formats/oci/digest'
import type { Repository } from '#formats/oci/reference'
import { referrersTag } from '#formats/oci/tags'
import type { UnixMillis } from '#time'
import { readJson } from '../http/body.js'
import { RecentAnswers } from '../recent-answers.js'
import { RecentMap } from '../recent-map.js'
import { fetchBlob, hasBlob, mountBlob, pushBlob, streamBlob, uploadBlob } from './blobs.js'
import { namesDigest } from './content-digest.js'
import { deleteManifest, fetchManifest, putManifest, resolveManifest } from './manifests.js'
import { fetchReferrers, nextPage, readFallback } from './referrers.js'
import type { FetchedManifest, Referrers, RegistryClient } from './registry.js'
import { createTransport, registryRefusal, type RegistryPorts, type RegistryTransport } from './transport.js'

/** So many manifests are remembered; a long-lived caller makes a new client for each piece of work. */
const REMEMBERED = 512
/** How long a registry without referrers API is believed to have none, in milliseconds. */
const WITHOUT_API = 60_000

/** Makes a client for all registries. Its requests may be made in parallel. */
export function createRegistryClient(ports: RegistryPorts): RegistryClient {
  const transport = createTransport(ports)
  const manifest = rememberByDigest(async (repository, name) => await fetchManifest(transport, repository, name))
  /** Until when a registry is not asked for referrers again: it may have been a proxy's page that said it has none. */
  const withoutApi = new RecentMap<string, UnixMillis>(REMEMBERED)
  return {
    manifest,
    resolve: async (repository, name) =>
      (await resolveManifest(transport, repository, name)) ?? descriptorOf(await manifest(repository, name)),
    blob: async (repository, { digest, size }, limit) =>
      await fetchBlob(transport, repository, { digest, size, limit }),
    openBlob: (repository, descriptor) => streamBlob(transport, repository, descriptor),
    referrers: async (repository, digest, artifactType) => {
      parseDigest(digest)
      if ((withoutApi.get(repository.registry) ?? 0) <= ports.clock()) {
        const answer = await fetchReferrers(transport, repository, { digest, artifactType })
        if (answer !== undefined) return answer
        withoutApi.set(repository.registry, ports.clock() + WITHOUT_API)
      }
      return await fromTag(repository, digest, manifest)
    },
    hasBlob: async (repository, digest) => await hasBlob(transport, repository, digest),
    pushBlob: async (repository, bytes, mediaType) => await pushBlob(transport, repository, { bytes, mediaType }),
    uploadBlob: async (repository, { digest, size }, open) => {
      await uploadBlob(transport, repository, { digest, size, open })
    },
    mountBlob: async (repository, digest, from) => await mountBlob(transport, repository, { digest, from }),
    pushManifest: async (repository, name, outgoing) => await putManifest(transport, { repository, name }, outgoing),
    deleteManifest: async (repository, name) => {
      await deleteManifest(transport, repository, name)
    },
    tags: async (repository) => await listTags(transport, repository),
  }
}

type ManifestGetter = RegistryClient['manifest']

/** By digest content never changes, so it is fetched once; by tag it may change any time. */
function rememberByDigest(load: ManifestGetter): ManifestGetter {
  const known = new RecentAnswers(REMEMBERED)
  return async (repository, name) => {
    if (!namesDigest(name)) return await load(repository, name)
    const key = `${repository.registry}/${repository.repository}@${name}`
    return await known.get(key, () => load(repository, name))
  }
}

async function fromTag(repository: Repository, digest: string, manifest: ManifestGetter): Promise<Referrers> {
  const tagged = await orUndefined(manifest(repository, referrersTag(digest)))
  return { source: 'tag', descriptors: readFallback(tagged, digest) }
}

/** What is not there, as undefined rather than as an error; the reader may be of another chunk, whose classes are its own (ADR 6). */
export async function orUndefined<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending
  } catch (error) {
    if (isCodedError(error) && error.code === 'REGISTRY_NOT_FOUND') return undefined
    throw error
  }
}

/** How a fetched manifest is pointed at. */
export function descriptorOf({ mediaType, digest, bytes }: FetchedManifest): Descriptor {
  return { mediaType, digest, size: bytes.length }
}

async function listTags(transport: RegistryTransport, repository: Repository): Promise<readonly string[]> {
  const tags: string[] = []
  let path: string | undefined = '/tags/list'
  for (let page = 0; path !== undefined && page < 1000; page++) {
    const response = await transport({ scope: { repository, actions: ['pull'] }, path })
    if (response.status === 404) return []
    if (response.status !== 200) throw await registryRefusal(response, repository, 'the list of tags')
    const answer = await readJson(response, { limit: 16 * 1024 * 1024, what: `the tags of ${repository.repository}` })
    const listed = isJsonObject(answer) ? answer['tags'] : undefined
    if (Array.isArray(listed)) tags.push(...(listed as readonly JsonValue[]).filter((tag) => typeof tag === 'string'))
    path = nextPage(response, repository)
  }
  return tags
}
