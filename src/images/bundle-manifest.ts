/** The manifest that makes a bundle a referrer of an image, as cosign 3 writes it. @module */
import { formatRfc3339, type UnixMillis } from '#time'
import { encodeUtf8 } from '#encoding/utf8'
import { BUNDLE_MEDIA_TYPE, BUNDLE_MEDIA_TYPE_PREFIX } from '#formats/bundle/media-type'
import type { Descriptor, ImageManifest, Manifest } from '#formats/oci/descriptor'
import { digestOf } from '#formats/oci/digest'
import { serializeManifest } from '#formats/oci/manifest'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import type { AttachmentKind } from './attachment.js'

/** The config of every manifest that has none: two bytes (image-spec, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONFIG: Uint8Array = encodeUtf8('{}')

/** cosign's experimental referrers of before bundles: layers as at the `.sig` tag, in a manifest with a subject. */
export const LEGACY_ARTIFACT_TYPES: Readonly<Record<AttachmentKind | 'sbom', string>> = {
  signature: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  attestation: 'application/vnd.dev.cosign.artifact.att.v1+json',
  sbom: 'application/vnd.dev.cosign.artifact.sbom.v1+json',
}

/** What stands in a bundle's manifest. */
export interface BundleManifest {
  readonly subject: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>
  readonly layer: Descriptor
  readonly content: 'dsse-envelope' | 'message-signature'
  /** Of a statement. */
  readonly predicateType?: string | undefined
  readonly created: UnixMillis
}

/** The manifest's bytes and what points at them in a list of referrers. */
export interface BuiltManifest {
  readonly bytes: Uint8Array
  readonly descriptor: Descriptor
}

/** Builds it, byte for byte as cosign does for the same content. */
export function buildBundleManifest({
  subject,
  layer,
  content,
  predicateType,
  created,
}: BundleManifest): BuiltManifest {
  const manifest: ImageManifest = {
    kind: 'image',
    mediaType: MEDIA_TYPES.ociManifest,
    config: {
      mediaType: MEDIA_TYPES.ociEmpty,
      size: EMPTY_CONFIG.length,
      digest: digestOf(EMPTY_CONFIG),
      // Of no use by the specification, but what `cosign clean` looks at.
      artifactType: BUNDLE_MEDIA_TYPE,
    },
    layers: [layer],
    annotations: {
      [ANNOTATIONS.bundleContent]: content,
      ...(predicateType !== undefined && { [ANNOTATIONS.bundlePredicateType]: predicateType }),
      // Go writes whole seconds here.
      [ANNOTATIONS.created]: formatRfc3339(Math.floor(created / 1000) * 1000),
    },
    subject: { mediaType: subject.mediaType, size: subject.size, digest: subject.digest },
    artifactType: BUNDLE_MEDIA_TYPE,
  }
  const bytes = serializeManifest(manifest)
  return { bytes, descriptor: referrerDescriptor(manifest, bytes) }
}

/**
 * How a manifest is to be described in a list of referrers (distribution-spec, "Pushing Manifests with Subject"):
 * with its artifact type, or else its config's media type, and its annotations.
 */
export function referrerDescriptor(manifest: Manifest, bytes: Uint8Array): Descriptor {
  const artifactType = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined)
  return {
    mediaType: manifest.mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
    ...(manifest.annotations !== undefined && { annotations: manifest.annotations }),
    ...(artifactType !== undefined && { artifactType }),
  }
}

/** Whether a media type is that of a bundle, of whatever version. */
export function isBundleType(mediaType: string | undefined): boolean {
  return mediaType?.startsWith(BUNDLE_MEDIA_TYPE_PREFIX) === true
}
