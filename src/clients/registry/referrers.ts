/** The referrers API, and the tag that stands in for it (distribution-spec, "Listing Referrers"). @module */
import { isCodedError } from '#errors'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { discardBody, readBytes } from '../http/body.js'
import type { FetchResponse } from '../http/fetch.js'
import type { FetchedManifest, Referrers } from './registry.js'
import { RegistryError } from './registry-error.js'
import { registryRefusal, type RegistryTransport } from './transport.js'

const INDEX_TYPE = MEDIA_TYPES.ociIndex
const PAGE_LIMIT = 16 * 1024 * 1024
/** A registry that pages for ever is given up. */
const MAX_PAGES = 100

/** Statuses with which registries say that they know no such API. */
const NO_API: ReadonlySet<number> = new Set([400, 404, 405, 406, 415, 501])

/** All pages of the API, or undefined if the registry does not have it. */
export async function fetchReferrers(
  transport: RegistryTransport,
  repository: Repository,
  { digest, artifactType }: { readonly digest: string; readonly artifactType?: string | undefined },
): Promise<Referrers | undefined> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
  const descriptors: Descriptor[] = []
  let path: string | undefined = `/referrers/${digest}${query}`
  for (let page = 0; path !== undefined && page < MAX_PAGES; page++) {
    const response = await transport({
      scope: { repository, actions: ['pull'] },
      path,
      headers: { accept: INDEX_TYPE },
    })
    if (page === 0 && isWithoutApi(response)) {
      await discardBody(response)
      return undefined
    }
    if (response.status !== 200) throw await registryRefusal(response, repository, `the referrers of ${digest}`)
    descriptors.push(...(await readPage(response, repository)))
    path = nextPage(response, repository)
  }
  if (path === undefined) return { source: 'api', descriptors }
  // A list cut short could lack just the signature that matters.
  throw new RegistryError('REGISTRY_TOO_LARGE', `${repository.registry} lists referrers without end`, {
    expected: `at most ${String(MAX_PAGES)} pages`,
    found: `${String(descriptors.length)} referrers so far`,
    hint: 'remove what is not needed from the image, or ask who runs the registry for larger pages',
  })
}

/**
 * What the fallback tag lists. Some registries answer for any tag of that form with the subject itself, and the tag of
 * an image may be taken by something else altogether: neither is a list.
 */
export function readFallback(tagged: FetchedManifest | undefined, subject: string): readonly Descriptor[] {
  if (tagged === undefined || tagged.digest === subject) return []
  try {
    const manifest = parseManifest(tagged.bytes, tagged.mediaType)
    return manifest.kind === 'index' ? manifest.manifests : []
  } catch (error) {
    if (isCodedError(error)) return []
    throw error
  }
}

function isWithoutApi(response: FetchResponse): boolean {
  if (NO_API.has(response.status)) return true
  // A page of HTML, or a proxy's idea of JSON, is no list of referrers.
  return response.status === 200 && (response.headers.get('content-type') ?? '').split(';')[0]?.trim() !== INDEX_TYPE
}

async function readPage(response: FetchResponse, repository: Repository): Promise<readonly Descriptor[]> {
  const bytes = await readBytes(response, { limit: PAGE_LIMIT, what: `the referrers at ${repository.registry}` })
  try {
    const manifest = parseManifest(bytes, INDEX_TYPE)
    if (manifest.kind === 'index') return manifest.manifests
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new RegistryError('REGISTRY_RESPONSE', `${repository.registry} lists referrers in a form that is not right`, {
      expected: 'an OCI image index',
      found: cause.message,
      cause,
    })
  }
  throw new RegistryError(
    'REGISTRY_RESPONSE',
    `${repository.registry} answers with an image instead of a list of referrers`,
  )
}

/** RFC 8288; only ever within the registry, whose login goes with the request. */
export function nextPage(response: FetchResponse, { registry, repository }: Repository): string | undefined {
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(response.headers.get('link') ?? '')?.[1]
  if (target === undefined) return undefined
  const base = new URL(`https://${registry}/v2/${repository}/`)
  const url = URL.canParse(target, base.href) ? new URL(target, base) : undefined
  const prefix = `/v2/${repository}/`
  if (url?.host !== base.host || !url.pathname.startsWith(prefix)) {
    throw new RegistryError('REGISTRY_RESPONSE', `${registry} continues its list elsewhere`, {
      expected: `an address below ${prefix}`,
    })
  }
  return `${url.pathname.slice(prefix.length - 1)}${url.search}`
}
