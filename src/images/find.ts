/** Finding what is attached to an image, in both layouts at once: neither ever hides the other. @module */
import { isCodedError, type CodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import type { Repository } from '#formats/oci/reference'
import type {
  Attachment,
  AttachmentKind,
  AttachmentOrigin,
  FoundAttachments,
  UnreadableAttachment,
} from './attachment.js'
import { isBundleType, LEGACY_ARTIFACT_TYPES } from './bundle-manifest.js'
import { attestationFromLayer, signatureFromLayer, type LegacyLayer } from './legacy-layer.js'
import {
  isAnnotatedAs,
  locateAttachments,
  type AttachmentPlace,
  type AttachmentQuery,
  type LocatedAttachments,
} from './locate.js'
import { DEFAULT_MAX_ATTACHMENT_SIZE, type AttachmentReader } from './store.js'

/** What came of one attachment: one that cannot be read does not keep the others from being read. */
export type ReadAttachment = Attachment | UnreadableAttachment

/**
 * Reads all attachments of one kind. The layouts are asked in parallel, and only what may be of that kind is fetched:
 * for one signature that is the list of referrers, the tag, the referrer's manifest and its bundle, three round trips.
 *
 * Whether a bundle is a signature on this image is for the caller to verify, who may have asked for the lists already (`located`).
 * @throws RegistryError if a list cannot be had: an image that could not be asked about is not an unsigned one
 */
export async function findAttachments(
  reader: AttachmentReader,
  query: AttachmentQuery,
  located: Promise<LocatedAttachments> = locateAttachments(reader, query),
): Promise<FoundAttachments> {
  const { places, passedOver } = await located
  const read = { blobs: rememberBlobs(blobsOf(reader)), ...query }
  const found = await Promise.all(places.map(async (place) => await readAttachments(reader, place, read)))
  const outcomes = found.flat()
  return {
    attachments: outcomes.flatMap((outcome) => ('entity' in outcome ? [outcome] : [])),
    unreadable: outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : [])),
    passedOver,
  }
}

/** How blobs are fetched: whoever reads many attachments decides how many at a time. */
export type BlobGetter = (repository: Repository, descriptor: Descriptor) => Promise<Uint8Array>

/** Straight from where the attachments are. */
export function blobsOf({ content, maxAttachmentSize = DEFAULT_MAX_ATTACHMENT_SIZE }: AttachmentReader): BlobGetter {
  return (repository, descriptor) => content.blob(repository, descriptor, maxAttachmentSize)
}

/** Signatures of one payload share its blob. */
function rememberBlobs(blobs: BlobGetter): BlobGetter {
  const known = new Map<string, Promise<Uint8Array>>()
  return async (repository, descriptor) => {
    const pending = known.get(descriptor.digest) ?? blobs(repository, descriptor)
    known.set(descriptor.digest, pending)
    return await pending
  }
}

/** What is asked for, and how its blobs are fetched. */
export interface AttachmentRead extends Pick<AttachmentQuery, 'kind' | 'predicateType'> {
  readonly blobs: BlobGetter
}

/** What is at a place: a referrer of the first clients may hold several. */
export async function readAttachments(
  reader: AttachmentReader,
  place: AttachmentPlace,
  read: AttachmentRead,
): Promise<readonly ReadAttachment[]> {
  if (place.layout === 'referrer') return await readReferrer(reader, place, read)
  const { repository, manifest, layer, tag } = place
  const origin: AttachmentOrigin = { layout: 'tag', repository, manifest, layer: layer.digest, tag }
  return [await readLayer(origin, layer, read)]
}

type ReferrerPlace = Extract<AttachmentPlace, { layout: 'referrer' }>

async function readReferrer(
  reader: AttachmentReader,
  { repository, descriptor }: ReferrerPlace,
  read: AttachmentRead,
): Promise<readonly ReadAttachment[]> {
  const { kind, blobs } = read
  const origin: AttachmentOrigin = { layout: 'referrer', repository, manifest: descriptor.digest, layer: '' }
  const fetched = await attempt(origin, async () => {
    const manifest = await reader.content.manifest(repository, descriptor.digest)
    return { manifest, image: parseManifest(manifest.bytes, manifest.mediaType) }
  })
  if ('error' in fetched) return [fetched]
  const { image } = fetched.value
  if (image.kind !== 'image') return []
  const { layers, annotations = {}, artifactType, config } = image
  if ((artifactType ?? config.mediaType) === LEGACY_ARTIFACT_TYPES[kind]) {
    return await Promise.all(
      layers.map(async (layer) => await readLayer({ ...origin, layer: layer.digest }, layer, read)),
    )
  }
  const [layer] = layers
  // Of an unclear descriptor only the manifest shows that it is something else altogether.
  if (layers.length !== 1 || layer === undefined || !isBundleType(layer.mediaType) || !isAnnotatedAs(annotations, read))
    return []
  const at = { ...origin, layer: layer.digest }
  const bundle = await attempt(at, async () => {
    const bytes = await blobs(repository, layer)
    return { origin: at, entity: parseBundle(bytes, reader.bundle), bytes, annotations }
  })
  return ['error' in bundle ? bundle : bundle.value]
}

async function readLayer(
  origin: AttachmentOrigin,
  layer: Descriptor,
  { kind, blobs }: { readonly kind: AttachmentKind; readonly blobs: BlobGetter },
): Promise<ReadAttachment> {
  const annotations = layer.annotations ?? {}
  const read = await attempt(origin, async () => {
    const bytes = await blobs(origin.repository, layer)
    const legacy: LegacyLayer = { mediaType: layer.mediaType, bytes, annotations }
    const adapted = kind === 'signature' ? signatureFromLayer(legacy) : attestationFromLayer(legacy)
    return { origin, bytes, annotations, ...adapted }
  })
  return 'error' in read ? read : read.value
}

/** One attachment that cannot be read is told of. */
async function attempt<T>(
  origin: AttachmentOrigin,
  work: () => Promise<T>,
): Promise<{ readonly value: T } | { readonly origin: AttachmentOrigin; readonly error: CodedError }> {
  try {
    return { value: await work() }
  } catch (error) {
    if (isCodedError(error) && error.code !== 'HTTP_ABORTED') return { origin, error }
    throw error
  }
}
