/** cosign's experiment between tags and bundles: signature layers in a manifest with a subject (`--registry-referrers-mode=oci-1-1`). @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { Descriptor, ImageManifest } from '#formats/oci/descriptor'
import { serializeManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import type { AttachedBundle } from './attach-bundle.js'
import type { AttachmentKind } from './attachment.js'
import { LEGACY_ARTIFACT_TYPES, referrerDescriptor } from './bundle-manifest.js'
import { updateFallbackIndex } from './fallback-index.js'
import type { LegacyLayer } from './legacy-layer.js'
import { attachmentsOf, type AttachmentWriter } from './store.js'

/** A layer for an image. */
export interface LegacyReferrer {
  readonly repository: Repository
  readonly subject: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>
  readonly kind: AttachmentKind | 'sbom'
  readonly layer: LegacyLayer
}

/** Pushes the layer in a manifest of its own. @throws RegistryError; ImagesError IMAGES_CONTENDED, IMAGES_REFERRER */
export async function attachLegacyReferrer(
  writer: AttachmentWriter,
  { repository: imageRepository, subject, kind, layer }: LegacyReferrer,
): Promise<AttachedBundle> {
  const { content } = writer
  const repository = attachmentsOf(writer, imageRepository)
  const artifactType = LEGACY_ARTIFACT_TYPES[kind]
  const [pushed, config] = await Promise.all([
    content.pushBlob(repository, layer.bytes, layer.mediaType),
    content.pushBlob(repository, encodeUtf8('{}'), artifactType),
  ])
  const manifest: ImageManifest = {
    kind: 'image',
    mediaType: MEDIA_TYPES.ociManifest,
    config,
    layers: [{ ...pushed, annotations: layer.annotations }],
    subject: { mediaType: subject.mediaType, size: subject.size, digest: subject.digest },
    artifactType,
  }
  const bytes = serializeManifest(manifest)
  const descriptor = referrerDescriptor(manifest, bytes)
  const written = await content.pushManifest(repository, descriptor.digest, { mediaType: manifest.mediaType, bytes })
  const byTag = !written.subjectRecorded && (await content.referrers(repository, subject.digest)).source === 'tag'
  if (byTag) await updateFallbackIndex(writer, { repository, subject: subject.digest, add: [descriptor] })
  return { repository, manifest: descriptor.digest, byTag }
}
