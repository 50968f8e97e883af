/** The list of referrers that clients keep under a tag, where the registry does not (distribution-spec 1.1). @module */
import type { FetchedManifest, OutgoingManifest } from '#clients/registry/registry'
import { isCodedError } from '#errors'
import type { Descriptor, ImageIndex } from '#formats/oci/descriptor'
import { parseManifest, serializeManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { referrersTag } from '#formats/oci/tags'
import { referrerDescriptor } from './bundle-manifest.js'
import { ImagesError } from './images-error.js'
import type { AttachmentWriter } from './store.js'
import { updateTag } from './tag-update.js'

/** A change to the referrers of `subject`. */
export interface FallbackChange {
  readonly repository: Repository
  /** The digest of the image. */
  readonly subject: string
  readonly add?: readonly Descriptor[]
  /** Digests of manifests that are no longer there. */
  readonly remove?: ReadonlySet<string>
}

/** Makes the tag `sha256-<hex>` list what it should, entries of older clients repaired on the way. */
export async function updateFallbackIndex(writer: AttachmentWriter, change: FallbackChange): Promise<void> {
  const { repository, subject, add = [], remove = new Set<string>() } = change
  const replaced = new Set([...remove, ...add.map(({ digest }) => digest)])
  await updateTag(writer, {
    repository,
    tag: referrersTag(subject),
    merge: async (existing) => {
      const index = readIndex(existing, subject)
      const kept = index.manifests.filter(({ digest }) => !replaced.has(digest))
      const manifests = [...(await repair(writer, repository, kept)), ...add]
      // By digest, as go-containerregistry sorts: the same set is the same index, whoever wrote it.
      manifests.sort((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0))
      const next = serializeManifest({ ...index, manifests })
      const unchanged = (existing !== undefined || manifests.length === 0) && sameList(index.manifests, manifests)
      return unchanged ? undefined : ({ mediaType: MEDIA_TYPES.ociIndex, bytes: next } satisfies OutgoingManifest)
    },
  })
}

const EMPTY_INDEX: ImageIndex = { kind: 'index', mediaType: MEDIA_TYPES.ociIndex, manifests: [] }

/**
 * What is listed now. Some registries answer with the subject itself for a tag of this form that nobody pushed; then there
 * is no list yet. Anything else that is no list is somebody's image, and not ours to overwrite.
 */
function readIndex(existing: FetchedManifest | undefined, subject: string): ImageIndex {
  if (existing === undefined || existing.digest === subject) return EMPTY_INDEX
  try {
    const manifest = parseManifest(existing.bytes, existing.mediaType)
    if (manifest.kind === 'index') return manifest
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new ImagesError(
    'IMAGES_REFERRER',
    `the tag ${referrersTag(subject)} holds something that is no list of referrers`,
    {
      expected: 'an OCI image index',
      found: existing.mediaType.slice(0, 100),
      hint: 'Delete the tag, use a registry with the referrers API, or move attachments with COSIGN_REPOSITORY.',
    },
  )
}

/** A list that long is repaired a piece at a time. */
const REPAIR_AT_MOST = 64

/**
 * Older clients wrote the config's empty type as the artifact type (go-containerregistry before #2269) and left out the
 * annotations (before #2441), so that nobody can find their bundles without fetching them. The manifests say what is right.
 */
async function repair(
  { content }: AttachmentWriter,
  repository: Repository,
  entries: readonly Descriptor[],
): Promise<readonly Descriptor[]> {
  const stale = new Set(entries.filter(isStale).slice(0, REPAIR_AT_MOST))
  return await Promise.all(
    entries.map(async (entry) => {
      if (!stale.has(entry)) return entry
      try {
        const { bytes, mediaType } = await content.manifest(repository, entry.digest)
        return referrerDescriptor(parseManifest(bytes, mediaType), bytes)
      } catch (error) {
        if (isCodedError(error)) return entry
        throw error
      }
    }),
  )
}

/** Whether a descriptor in a list of referrers cannot be relied on to say what it points at. */
export function isStale({ mediaType, artifactType, annotations }: Descriptor): boolean {
  if (mediaType !== MEDIA_TYPES.ociManifest) return false
  return artifactType === undefined || artifactType === MEDIA_TYPES.ociEmpty || annotations === undefined
}

function sameList(a: readonly Descriptor[], b: readonly Descriptor[]): boolean {
  const text = (list: readonly Descriptor[]): string =>
    new TextDecoder().decode(serializeManifest({ ...EMPTY_INDEX, manifests: list }))
  return text(a) === text(b)
}
