/** Where attachments of an image are, in both layouts, before anything of them is fetched. @module */
import { orUndefined } from '#clients/registry/client'
import { DSSE_MEDIA_TYPE } from '#formats/dsse/envelope'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import type { Descriptor } from '#formats/oci/descriptor'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import { attachmentTag } from '#formats/oci/tags'
import { SIMPLE_SIGNING_MEDIA_TYPE } from '#formats/simple-signing/payload'
import { readAttachmentImage } from './attach-layer.js'
import type { AttachmentKind, AttachmentLayout } from './attachment.js'
import { isBundleType, LEGACY_ARTIFACT_TYPES } from './bundle-manifest.js'
import { attachmentsOf, type AttachmentReader } from './store.js'

/** Which image, and what of it. */
export interface AttachmentQuery {
  readonly repository: Repository
  /** The image's digest; whether the image is there is not asked. */
  readonly digest: string
  readonly kind: AttachmentKind
  /** Only attestations with this predicate type, where the referrer says what it has; several by a function. */
  readonly predicateType?: string | ((type: string) => boolean) | undefined
  /** Where it is looked for; by default in both layouts. */
  readonly layouts?: readonly AttachmentLayout[]
}

/** Something that may be an attachment, going by its descriptor. In doubt it is one. */
export type AttachmentPlace =
  | { readonly layout: 'referrer'; readonly repository: Repository; readonly descriptor: Descriptor }
  | {
      readonly layout: 'tag'
      readonly repository: Repository
      readonly tag: string
      /** The digest of the manifest at the tag. */
      readonly manifest: string
      readonly layer: Descriptor
    }

export interface LocatedAttachments {
  readonly places: readonly AttachmentPlace[]
  /** Predicate types of what is there but was not looked for, as the (unsigned) annotations state them. */
  readonly passedOver: readonly string[]
}

const BOTH: readonly AttachmentLayout[] = ['referrer', 'tag']

/**
 * Asks the layouts in parallel. What an unsigned annotation says only decides what is worth fetching.
 * @throws RegistryError if a list cannot be had: an image that could not be asked about is not an unsigned one
 */
export async function locateAttachments(reader: AttachmentReader, query: AttachmentQuery): Promise<LocatedAttachments> {
  const { layouts = BOTH } = query
  const found = await Promise.all(layouts.map((layout) => LOCATORS[layout](reader, query)))
  return {
    places: found.flatMap(({ places }) => places),
    passedOver: [...new Set(found.flatMap(({ passedOver }) => passedOver))],
  }
}

type Locator = (reader: AttachmentReader, query: AttachmentQuery) => Promise<LocatedAttachments>

const LOCATORS: Readonly<Record<AttachmentLayout, Locator>> = { referrer: locateReferrers, tag: locateTagged }

async function locateReferrers(reader: AttachmentReader, query: AttachmentQuery): Promise<LocatedAttachments> {
  const repository = attachmentsOf(reader, query.repository)
  const { descriptors } = await reader.content.referrers(repository, query.digest)
  const wanted = descriptors.filter((descriptor) => mayHold(descriptor, query))
  return {
    places: wanted.map((descriptor) => ({ layout: 'referrer', repository, descriptor })),
    passedOver: typesOf(ANNOTATIONS.bundlePredicateType, descriptors, wanted),
  }
}

/** Whether a referrer may be what is looked for, going by its descriptor. */
function mayHold({ mediaType, artifactType, annotations }: Descriptor, query: AttachmentQuery): boolean {
  if (mediaType !== MEDIA_TYPES.ociManifest) return false
  if (artifactType === LEGACY_ARTIFACT_TYPES[query.kind]) return true
  // Old clients left the type out, or wrote that of the empty config, in lists kept under a tag.
  const unclear = artifactType === undefined || artifactType === MEDIA_TYPES.ociEmpty
  return (unclear || isBundleType(artifactType)) && (annotations === undefined || isAnnotatedAs(annotations, query))
}

/** Whether the annotations of a bundle's manifest say that it is what is looked for, or nothing. */
export function isAnnotatedAs(
  annotations: Readonly<Record<string, string>>,
  { kind, predicateType }: Pick<AttachmentQuery, 'kind' | 'predicateType'>,
): boolean {
  const stated = annotations[ANNOTATIONS.bundlePredicateType]
  const content = annotations[ANNOTATIONS.bundleContent]
  if (kind === 'signature')
    return content === 'message-signature' || stated === undefined || stated === SIGN_PREDICATE_TYPE
  if (content === 'message-signature') return false
  // An image's signature is none of its attestations, unless just that is asked for.
  if (stated === SIGN_PREDICATE_TYPE) return predicateType === SIGN_PREDICATE_TYPE
  return isWantedType(stated, predicateType)
}

function isWantedType(stated: string | undefined, wanted: AttachmentQuery['predicateType']): boolean {
  if (stated === undefined || wanted === undefined) return true
  return typeof wanted === 'string' ? stated === wanted : wanted(stated)
}

async function locateTagged(reader: AttachmentReader, query: AttachmentQuery): Promise<LocatedAttachments> {
  const repository = attachmentsOf(reader, query.repository)
  const tag = attachmentTag(query.digest, query.kind === 'signature' ? 'sig' : 'att', reader.tagPrefix)
  const manifest = await orUndefined(reader.content.manifest(repository, tag))
  if (manifest === undefined) return { places: [], passedOver: [] }
  const { layers } = readAttachmentImage(manifest, { repository, tag })
  const wanted = layers.filter((layer) => isWantedLayer(layer, query))
  return {
    places: wanted.map((layer) => ({ layout: 'tag', repository, tag, manifest: manifest.digest, layer })),
    passedOver: typesOf(ANNOTATIONS.predicateType, layers, wanted),
  }
}

/** Cosign itself goes by the tag alone; a media type that is clearly another thing's is left out. */
function isWantedLayer({ mediaType, annotations }: Descriptor, { kind, predicateType }: AttachmentQuery): boolean {
  if (kind === 'signature') return mediaType !== DSSE_MEDIA_TYPE
  return (
    mediaType !== SIMPLE_SIGNING_MEDIA_TYPE && isWantedType(annotations?.[ANNOTATIONS.predicateType], predicateType)
  )
}

/** The predicate types of what is not wanted, to say what is there instead of what was looked for. */
function typesOf(annotation: string, all: readonly Descriptor[], wanted: readonly Descriptor[]): readonly string[] {
  return all
    .filter((descriptor) => !wanted.includes(descriptor))
    .flatMap(({ annotations }) => annotations?.[annotation] ?? [])
}
