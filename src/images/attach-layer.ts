/** Attaching by tag, as cosign did before version 3: one more layer in the image at `sha256-<hex>.sig` or `.att`. @module */
import type { FetchedManifest, OutgoingManifest } from '#clients/registry/registry'
import { stringifyLikeGo } from '#encoding/go-json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Descriptor, ImageManifest } from '#formats/oci/descriptor'
import { digestOf } from '#formats/oci/digest'
import { parseManifest, serializeManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { repositoryName, type Repository } from '#formats/oci/reference'
import { attachmentTag, type AttachmentKind as TagKind } from '#formats/oci/tags'
import { formatRfc3339, type UnixMillis } from '#time'
import { ImagesError } from './images-error.js'
import type { LegacyLayer } from './legacy-layer.js'
import { attachmentsOf, type AttachmentWriter } from './store.js'
import { updateTag } from './tag-update.js'

/** A layer for an image. */
export interface LayerAttachment {
  /** The image. */
  readonly repository: Repository
  readonly digest: string
  readonly tag: TagKind
  readonly layer: LegacyLayer
  /** Layers that this one takes the place of (`attest --replace`); none if not given. */
  readonly replaces?: ((layer: Descriptor) => boolean) | undefined
  /** Write Docker's media types (`COSIGN_DOCKER_MEDIA_TYPES`). */
  readonly dockerMediaTypes?: boolean | undefined
  /** What the image says about when it was made; by default nothing, so that the same layers give the same image. */
  readonly created?: UnixMillis | undefined
}

export interface AttachedLayer {
  readonly repository: Repository
  readonly tag: string
}

/** As cosign: more layers than this are refused, also when reading. */
export const MAX_LAYERS = 1000

/**
 * Appends the layer. Others who sign the same image at the same time lose nothing.
 * @throws RegistryError; ImagesError IMAGES_CONTENDED, IMAGES_LAYER_LIMIT, IMAGES_LAYOUT
 */
export async function attachLayer(writer: AttachmentWriter, attachment: LayerAttachment): Promise<AttachedLayer> {
  const { content } = writer
  const { layer, digest } = attachment
  const repository = attachmentsOf(writer, attachment.repository)
  const tag = attachmentTag(digest, attachment.tag, writer.tagPrefix)
  const pushed = await content.pushBlob(repository, layer.bytes, layer.mediaType)
  const added: Descriptor = { ...pushed, annotations: layer.annotations }
  await updateTag(writer, {
    repository,
    tag,
    merge: async (existing) => {
      const image = existing === undefined ? undefined : readAttachmentImage(existing, { repository, tag })
      const layers = (image?.layers ?? []).filter(
        (each) => sameLayer(each, added) || attachment.replaces?.(each) !== true,
      )
      const present = layers.some((each) => sameLayer(each, added))
      if (present && layers.length === image?.layers.length) return undefined
      const next = present ? layers : [...layers, added]
      if (next.length > MAX_LAYERS) throw tooMany({ repository, tag }, next.length)
      return await writeImage(writer, repository, imageOf(next, image, attachment))
    },
  })
  return { repository, tag }
}

/** An image of attachments that comes from elsewhere; its blobs are there already. */
export interface MovedAttachments extends AttachedLayer {
  readonly manifest: FetchedManifest
}

/**
 * Puts it under the tag as it is, if there is nothing; otherwise its layers are added to those that are there.
 * @throws RegistryError; ImagesError IMAGES_CONTENDED, IMAGES_LAYER_LIMIT, IMAGES_LAYOUT
 */
export async function mergeAttachments(
  writer: AttachmentWriter,
  { repository, tag, manifest }: MovedAttachments,
): Promise<void> {
  const moved = readAttachmentImage(manifest, { repository, tag })
  await updateTag(writer, {
    repository,
    tag,
    merge: async (existing) => {
      if (existing === undefined) return { mediaType: moved.mediaType, bytes: manifest.bytes }
      if (existing.digest === manifest.digest) return undefined
      const image = readAttachmentImage(existing, { repository, tag })
      const missing = moved.layers.filter((layer) => !image.layers.some((each) => sameLayer(each, layer)))
      if (missing.length === 0) return undefined
      const next = [...image.layers, ...missing]
      if (next.length > MAX_LAYERS) throw tooMany({ repository, tag }, next.length)
      return await writeImage(writer, repository, imageOf(next, image, {}))
    },
  })
}

/** @throws ImagesError IMAGES_LAYOUT if the tag holds something else, IMAGES_LAYER_LIMIT if it holds too much. */
export function readAttachmentImage(manifest: FetchedManifest, at: AttachedLayer): ImageManifest {
  const image = parseManifest(manifest.bytes, manifest.mediaType)
  if (image.kind !== 'image') {
    throw new ImagesError('IMAGES_LAYOUT', `${repositoryName(at.repository)}:${at.tag} is no attachment`, {
      expected: 'an image with one layer for each signature',
      found: 'an index',
    })
  }
  if (image.layers.length > MAX_LAYERS) throw tooMany(at, image.layers.length)
  return image
}

function sameLayer(a: Descriptor, b: Descriptor): boolean {
  const text = (annotations: Descriptor['annotations']): string =>
    JSON.stringify(Object.entries(annotations ?? {}).sort(([x], [y]) => (x < y ? -1 : 1)))
  return a.digest === b.digest && a.mediaType === b.mediaType && text(a.annotations) === text(b.annotations)
}

interface BuiltImage {
  readonly config: Uint8Array
  readonly manifest: OutgoingManifest
  readonly configType: string
}

function imageOf(
  layers: readonly Descriptor[],
  existing: ImageManifest | undefined,
  { dockerMediaTypes, created }: Pick<LayerAttachment, 'dockerMediaTypes' | 'created'>,
): BuiltImage {
  const types =
    dockerMediaTypes === true
      ? { manifest: MEDIA_TYPES.dockerManifest, config: MEDIA_TYPES.dockerConfig }
      : { manifest: MEDIA_TYPES.ociManifest, config: MEDIA_TYPES.ociConfig }
  const mediaType = existing?.mediaType ?? types.manifest
  const configType = existing?.config.mediaType ?? types.config
  const config = configOf(layers, created)
  const image: ImageManifest = {
    ...existing,
    kind: 'image',
    mediaType,
    config: { mediaType: configType, size: config.length, digest: digestOf(config) },
    layers,
  }
  return { config, configType, manifest: { mediaType, bytes: serializeManifest(image) } }
}

const NO_TIME = '0001-01-01T00:00:00Z'

/** An image config as go-containerregistry makes it for layers that are not compressed: the same bytes for the same layers. */
function configOf(layers: readonly Descriptor[], created: UnixMillis | undefined): Uint8Array {
  return encodeUtf8(
    stringifyLikeGo({
      architecture: '',
      created: created === undefined ? NO_TIME : formatRfc3339(created),
      history: layers.map(() => ({ created: NO_TIME })),
      os: '',
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      config: {},
    }),
  )
}

async function writeImage(
  { content }: AttachmentWriter,
  repository: Repository,
  { config, configType, manifest }: BuiltImage,
): Promise<OutgoingManifest> {
  // Strict registries refuse a manifest before the blobs it names.
  await content.pushBlob(repository, config, configType)
  return manifest
}

function tooMany({ repository, tag }: AttachedLayer, found: number): ImagesError {
  return new ImagesError('IMAGES_LAYER_LIMIT', `${repositoryName(repository)}:${tag} has too many layers`, {
    expected: `at most ${String(MAX_LAYERS)}`,
    found: String(found),
    hint: 'Remove old attachments (clean), or attach bundles as referrers instead.',
  })
}
