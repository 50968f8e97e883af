/** Attaching a bundle to an image as an OCI 1.1 referrer. @module */
import { BUNDLE_MEDIA_TYPE } from '#formats/bundle/media-type'
import type { Descriptor } from '#formats/oci/descriptor'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { buildBundleManifest, EMPTY_CONFIG, type BundleManifest } from './bundle-manifest.js'
import { updateFallbackIndex } from './fallback-index.js'
import { patiently } from './patience.js'
import { attachmentsOf, type AttachmentWriter } from './store.js'

/** A bundle for an image. */
export interface BundleAttachment extends Pick<BundleManifest, 'content' | 'predicateType'> {
  /** The image. */
  readonly repository: Repository
  /** Its manifest, as resolved: media type, digest and size become the referrer's subject. */
  readonly subject: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>
  /** The bundle's JSON; these bytes are stored. */
  readonly bundle: Uint8Array
}

/** What was written, and where. */
export interface AttachedBundle {
  readonly repository: Repository
  /** The digest of the referrer. */
  readonly manifest: string
  /** The image's list of referrers is kept under a tag, since the registry keeps none. */
  readonly byTag: boolean
}

/**
 * Pushes the bundle: blobs, then the manifest that names them, then, where the registry does not list referrers itself,
 * the list. Others who sign the same image at the same time lose nothing.
 * @throws RegistryError; ImagesError IMAGES_CONTENDED, IMAGES_REFERRER
 */
export async function attachBundle(writer: AttachmentWriter, attachment: BundleAttachment): Promise<AttachedBundle> {
  const { content: registry, clock } = writer
  const { subject, bundle, content, predicateType } = attachment
  const repository = attachmentsOf(writer, attachment.repository)
  const [layer] = await Promise.all([
    registry.pushBlob(repository, bundle, BUNDLE_MEDIA_TYPE),
    registry.pushBlob(repository, EMPTY_CONFIG, MEDIA_TYPES.ociEmpty),
  ])
  const { bytes, descriptor } = buildBundleManifest({ subject, layer, content, predicateType, created: clock() })
  const manifest = { mediaType: MEDIA_TYPES.ociManifest, bytes }
  const written = await patiently(
    writer,
    async () => await registry.pushManifest(repository, descriptor.digest, manifest),
  )
  const byTag = !written.subjectRecorded && (await keepsNoList(writer, repository, subject.digest))
  if (byTag) await updateFallbackIndex(writer, { repository, subject: subject.digest, add: [descriptor] })
  return { repository, manifest: descriptor.digest, byTag }
}

async function keepsNoList({ content }: AttachmentWriter, repository: Repository, subject: string): Promise<boolean> {
  return (await content.referrers(repository, subject)).source === 'tag'
}
