/** Finding what is attached to an image, in both layouts at once: neither ever hides the other. @module */
import { orUndefined } from '#clients/registry/client'
import { isCodedError, type CodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import { DSSE_MEDIA_TYPE } from '#formats/dsse/envelope'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { attachmentTag } from '#formats/oci/tags'
import { SIMPLE_SIGNING_MEDIA_TYPE } from '#formats/simple-signing/payload'
import { readAttachmentImage } from './attach-layer.js'
import type {
  Attachment,
  AttachmentKind,
  AttachmentOrigin,
  FoundAttachments,
  UnreadableAttachment,
} from './attachment.js'
import { isBundleType, LEGACY_ARTIFACT_TYPES } from './bundle-manifest.js'
import { attestationFromLayer, signatureFromLayer, type LegacyLayer } from './legacy-layer.js'
import { attachmentsOf, DEFAULT_MAX_ATTACHMENT_SIZE, type AttachmentReader } from './store.js'

/** Which image, and what of it. */
export interface AttachmentQuery {
  readonly repository: Repository
  /** The image's digest; whether the image is there is not asked. */
  readonly digest: string
  readonly kind: AttachmentKind
  /** Only attestations with this predicate type, where the referrer says what it has. */
  readonly predicateType?: string | undefined
}

/**
 * Reads all attachments of one kind. The two layouts are asked in parallel, and only what may be of that kind is fetched:
 * for one signature that is the list of referrers, the tag, the referrer's manifest and its bundle, three round trips.
 *
 * What an unsigned annotation says only decides what is fetched. Whether a bundle is a signature on this image is for the
 * caller to verify.
 * @throws RegistryError if a list cannot be had: an image that could not be asked about is not an unsigned one
 */
export async function findAttachments(reader: AttachmentReader, query: AttachmentQuery): Promise<FoundAttachments> {
  const blobs = rememberBlobs(reader)
  const [referrers, tagged] = await Promise.all([findReferrers(reader, query, blobs), findTagged(reader, query, blobs)])
  const outcomes = [...referrers.found, ...tagged.found]
  return {
    attachments: outcomes.flatMap((outcome) => ('entity' in outcome ? [outcome] : [])),
    unreadable: outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : [])),
    passedOver: [...new Set([...referrers.passedOver, ...tagged.passedOver])],
  }
}

type Outcome = Attachment | UnreadableAttachment

interface Looked {
  readonly found: readonly Outcome[]
  readonly passedOver: readonly string[]
}

type BlobGetter = (repository: Repository, descriptor: Descriptor) => Promise<Uint8Array>

/** Signatures of one payload share its blob. */
function rememberBlobs({ content, maxAttachmentSize = DEFAULT_MAX_ATTACHMENT_SIZE }: AttachmentReader): BlobGetter {
  const known = new Map<string, Promise<Uint8Array>>()
  return async (repository, descriptor) => {
    const pending = known.get(descriptor.digest) ?? content.blob(repository, descriptor, maxAttachmentSize)
    known.set(descriptor.digest, pending)
    return await pending
  }
}

async function findReferrers(reader: AttachmentReader, query: AttachmentQuery, blobs: BlobGetter): Promise<Looked> {
  const repository = attachmentsOf(reader, query.repository)
  const { descriptors } = await reader.content.referrers(repository, query.digest)
  const wanted = descriptors.filter((descriptor) => mayHold(descriptor, query))
  const found = await Promise.all(
    wanted.map(async (descriptor) => await readReferrer(reader, { ...query, repository, descriptor }, blobs)),
  )
  return { found: found.flat(), passedOver: typesOf(ANNOTATIONS.bundlePredicateType, descriptors, wanted) }
}

/** Whether a referrer may be what is looked for, going by its descriptor. In doubt it is fetched. */
function mayHold({ mediaType, artifactType, annotations }: Descriptor, query: AttachmentQuery): boolean {
  if (mediaType !== MEDIA_TYPES.ociManifest) return false
  if (artifactType === LEGACY_ARTIFACT_TYPES[query.kind]) return true
  // Old clients left the type out, or wrote that of the empty config, in lists kept under a tag.
  const unclear = artifactType === undefined || artifactType === MEDIA_TYPES.ociEmpty
  return (unclear || isBundleType(artifactType)) && (annotations === undefined || annotated(annotations, query))
}

function annotated(annotations: Readonly<Record<string, string>>, { kind, predicateType }: AttachmentQuery): boolean {
  const stated = annotations[ANNOTATIONS.bundlePredicateType]
  const content = annotations[ANNOTATIONS.bundleContent]
  if (kind === 'signature')
    return content === 'message-signature' || stated === undefined || stated === SIGN_PREDICATE_TYPE
  if (content === 'message-signature') return false
  // An image's signature is none of its attestations, unless just that is asked for.
  if (stated === SIGN_PREDICATE_TYPE) return predicateType === SIGN_PREDICATE_TYPE
  return stated === undefined || predicateType === undefined || stated === predicateType
}

interface ReferrerPlace extends AttachmentQuery {
  readonly descriptor: Descriptor
}

async function readReferrer(
  reader: AttachmentReader,
  place: ReferrerPlace,
  blobs: BlobGetter,
): Promise<readonly Outcome[]> {
  const { repository, descriptor, kind } = place
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
      layers.map(async (layer) => await readLayer({ ...origin, layer: layer.digest }, { layer, kind }, blobs)),
    )
  }
  const [layer] = layers
  // Of an unclear descriptor only the manifest shows that it is something else altogether.
  if (layers.length !== 1 || layer === undefined || !isBundleType(layer.mediaType) || !annotated(annotations, place))
    return []
  const at = { ...origin, layer: layer.digest }
  const read = await attempt(at, async () => {
    const bytes = await blobs(repository, layer)
    return { origin: at, entity: parseBundle(bytes, reader.bundle), bytes, annotations }
  })
  return ['error' in read ? read : read.value]
}

async function findTagged(reader: AttachmentReader, query: AttachmentQuery, blobs: BlobGetter): Promise<Looked> {
  const repository = attachmentsOf(reader, query.repository)
  const tag = attachmentTag(query.digest, query.kind === 'signature' ? 'sig' : 'att', reader.tagPrefix)
  const manifest = await orUndefined(reader.content.manifest(repository, tag))
  if (manifest === undefined) return { found: [], passedOver: [] }
  const { layers } = readAttachmentImage(manifest, { repository, tag })
  const wanted = layers.filter((layer) => isWantedLayer(layer, query))
  const origin: AttachmentOrigin = { layout: 'tag', repository, manifest: manifest.digest, layer: '', tag }
  const found = await Promise.all(
    wanted.map(
      async (layer) => await readLayer({ ...origin, layer: layer.digest }, { layer, kind: query.kind }, blobs),
    ),
  )
  return { found, passedOver: typesOf(ANNOTATIONS.predicateType, layers, wanted) }
}

/** The predicate types of what was not fetched, to say what is there instead of what was looked for. */
function typesOf(annotation: string, all: readonly Descriptor[], wanted: readonly Descriptor[]): readonly string[] {
  return all
    .filter((descriptor) => !wanted.includes(descriptor))
    .flatMap(({ annotations }) => annotations?.[annotation] ?? [])
}

/** Cosign itself goes by the tag alone; a media type that is clearly another thing's is left out. */
function isWantedLayer({ mediaType, annotations }: Descriptor, { kind, predicateType }: AttachmentQuery): boolean {
  if (kind === 'signature') return mediaType !== DSSE_MEDIA_TYPE
  const stated = annotations?.[ANNOTATIONS.predicateType]
  return (
    mediaType !== SIMPLE_SIGNING_MEDIA_TYPE &&
    (predicateType === undefined || stated === undefined || stated === predicateType)
  )
}

interface WantedLayer {
  readonly layer: Descriptor
  readonly kind: AttachmentKind
}

async function readLayer(origin: AttachmentOrigin, { layer, kind }: WantedLayer, blobs: BlobGetter): Promise<Outcome> {
  const annotations = layer.annotations ?? {}
  const read = await attempt(origin, async () => {
    const bytes = await blobs(origin.repository, layer)
    const legacy: LegacyLayer = { mediaType: layer.mediaType, bytes, annotations }
    const adapted = kind === 'signature' ? signatureFromLayer(legacy) : attestationFromLayer(legacy)
    return { origin, bytes, annotations, ...adapted }
  })
  return 'error' in read ? read : read.value
}

/** One attachment that cannot be read is told of; it does not keep the others from being read. */
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
