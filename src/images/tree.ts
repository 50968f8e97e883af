/** Everything that hangs on an image, by name only (`tree`). @module */
import { orUndefined } from '#clients/registry/client'
import type { Descriptor } from '#formats/oci/descriptor'
import { ANNOTATIONS } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { attachmentTag, type AttachmentKind as TagKind } from '#formats/oci/tags'
import { readAttachmentImage } from './attach-layer.js'
import { attachmentsOf, type AttachmentReader } from './store.js'

/** A tag of the tag layout and what is in it. */
export interface TaggedGroup {
  readonly kind: TagKind
  readonly repository: Repository
  readonly tag: string
  readonly layers: readonly Descriptor[]
}

/** Referrers of one kind. */
export interface ReferrerGroup {
  /** The predicate type, where the referrer says it, or else the artifact type. */
  readonly type: string
  readonly manifests: readonly Descriptor[]
}

/** All that hangs on an image, in a stable order. */
export interface AttachmentTree {
  readonly repository: Repository
  readonly tagged: readonly TaggedGroup[]
  readonly referrers: readonly ReferrerGroup[]
}

const TAG_KINDS: readonly TagKind[] = ['att', 'sig', 'sbom']

/** Lists it; four requests in parallel. @throws RegistryError; ImagesError IMAGES_LAYOUT */
export async function listAttachments(
  reader: AttachmentReader,
  image: { readonly repository: Repository; readonly digest: string },
): Promise<AttachmentTree> {
  const repository = attachmentsOf(reader, image.repository)
  const [{ descriptors }, ...tagged] = await Promise.all([
    reader.content.referrers(repository, image.digest),
    ...TAG_KINDS.map(async (kind): Promise<TaggedGroup> => {
      const tag = attachmentTag(image.digest, kind, reader.tagPrefix)
      const manifest = await orUndefined(reader.content.manifest(repository, tag))
      const layers = manifest === undefined ? [] : readAttachmentImage(manifest, { repository, tag }).layers
      return { kind, repository, tag, layers }
    }),
  ])
  return { repository, tagged: tagged.filter(({ layers }) => layers.length > 0), referrers: byType(descriptors) }
}

function byType(descriptors: readonly Descriptor[]): readonly ReferrerGroup[] {
  const groups = new Map<string, Descriptor[]>()
  for (const descriptor of descriptors) {
    const type = descriptor.annotations?.[ANNOTATIONS.bundlePredicateType] ?? descriptor.artifactType ?? ''
    groups.set(type, [...(groups.get(type) ?? []), descriptor])
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([type, manifests]) => ({ type, manifests }))
}
