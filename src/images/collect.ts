/** An image with all that hangs on it, as a list of what there is to move: manifests in memory, blobs by name. @module */
import { orUndefined } from '#clients/registry/client'
import type { ContentReader } from '#clients/registry/registry'
import { isCodedError } from '#errors'
import type { Descriptor, Manifest } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { MANIFEST_MEDIA_TYPES } from '#formats/oci/media-types'
import { repositoryName, type Repository } from '#formats/oci/reference'
import { attachmentTag, type AttachmentKind as TagKind } from '#formats/oci/tags'
import { readAttachmentImage } from './attach-layer.js'
import type { ResolvedImage } from './attachment.js'
import { ImagesError } from './images-error.js'
import { inParallel } from './parallel.js'
import { type ReferrerKind, referrerKind } from './referrer-kind.js'
import { attachmentsOf, type AttachmentReader } from './store.js'

/** Which of the two repositories something is in: the image's, or that of its attachments (`COSIGN_REPOSITORY`). */
export type Place = 'image' | 'attachments'

/** How a manifest hangs on another one. */
export type Hold =
  | { readonly by: 'tag'; readonly subject: string; readonly kind: TagKind }
  | { readonly by: 'referrer'; readonly subject: string; readonly kind: ReferrerKind }

/** A manifest to be moved. */
export interface CollectedManifest {
  readonly descriptor: Descriptor
  /** Checked against the digest. */
  readonly bytes: Uint8Array
  readonly manifest: Manifest
  readonly place: Place
  /** Set: it is attached. What is only named by another manifest has none, and neither has the image. */
  readonly hold?: Hold | undefined
}

/** A blob to be moved. */
export interface CollectedBlob {
  readonly descriptor: Descriptor
  readonly place: Place
}

/** What hangs on an image according to a list, and cannot be moved. */
export interface SkippedReferrer {
  readonly subject: string
  readonly digest: string
  readonly reason: string
}

/** An image and what hangs on it. */
export interface ImageCollection {
  readonly content: ContentReader
  readonly places: Readonly<Record<Place, Repository>>
  readonly image: Descriptor
  /** What is named stands before what names it, and the image before what hangs on it. */
  readonly manifests: readonly CollectedManifest[]
  /** Each once for each place. */
  readonly blobs: readonly CollectedBlob[]
  readonly skipped: readonly SkippedReferrer[]
}

/** Says of something attached whether it is wanted. */
export type Wanted = (hold: Hold) => boolean

export interface CollectOptions {
  /** False: only what hangs on the image and on what is in it. Default true. */
  readonly withImage?: boolean
  /** By default everything is wanted. */
  readonly wanted?: Wanted
}

/** Requests at once for manifests and lists: registries throttle whoever asks more. */
const AT_ONCE = 8
/** Indexes within indexes; signatures of what hangs on what hangs on the image. Real ones are two deep. */
const MAX_DEPTH = 4
/** For memory's sake: all manifests are held at once, and a stranger decides how many and how large they are. */
const MAX_MANIFESTS = 10_000
const MAX_BYTES = 256 * 1024 * 1024

/**
 * Reads every manifest: the image, what an index names, and for each of these everything attached, in both layouts, whatever its
 * type; then the same for what is attached, which may be signed itself.
 * @throws RegistryError, OciError; ImagesError IMAGES_LAYOUT, IMAGES_LAYER_LIMIT
 */
export async function collectImage(
  reader: AttachmentReader,
  image: ResolvedImage,
  { withImage = true, wanted = () => true }: CollectOptions = {},
): Promise<ImageCollection> {
  const { repository, descriptor } = image
  const places = { image: repository, attachments: attachmentsOf(reader, repository) }
  const gathering = new Gathering(reader, places, wanted)
  const named = await gathering.tree(descriptor, 'image')
  let subjects: readonly CollectedManifest[] = named
  const attached: CollectedManifest[] = []
  for (let depth = 0; subjects.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw tooMuch(image)
    const found = await inParallel(subjects, AT_ONCE, async (subject) => await gathering.attachedTo(subject))
    const fresh = found.flat()
    attached.push(...fresh)
    subjects = fresh.filter(canBeSigned)
  }
  const manifests = [...(withImage ? namedFirst(named) : []), ...namedFirst(attached)]
  const loose = gathering.loose.filter(({ place }) => withImage || place === 'attachments')
  return {
    content: reader.content,
    places,
    image: descriptor,
    manifests,
    blobs: blobsOf(manifests, loose),
    skipped: gathering.skipped,
  }
}

/** Registries refuse an index before what it names; what is named by several was found by whoever came first. */
function namedFirst(manifests: readonly CollectedManifest[]): readonly CollectedManifest[] {
  const byDigest = new Map(manifests.map((each) => [each.descriptor.digest, each]))
  const ordered = new Set<CollectedManifest>()
  const visit = (each: CollectedManifest): void => {
    const children = each.manifest.kind === 'index' ? each.manifest.manifests : []
    for (const { digest } of children) {
      const child = byDigest.get(digest)
      if (child !== undefined && !ordered.has(child)) visit(child)
    }
    ordered.add(each)
  }
  manifests.forEach(visit)
  return [...ordered]
}

/** Signatures at a tag are the end of it; everything else may be signed in turn. */
function canBeSigned({ hold }: CollectedManifest): boolean {
  return hold?.by !== 'tag' || hold.kind === 'sbom'
}

/** What has been found so far, each manifest once in each place. */
class Gathering {
  readonly skipped: SkippedReferrer[] = []
  /** Named by an index like a manifest, and of no type that is known to be one. */
  readonly loose: CollectedBlob[] = []
  readonly #reader: AttachmentReader
  readonly #places: Readonly<Record<Place, Repository>>
  readonly #wanted: Wanted
  readonly #seen = new Set<string>()
  #bytes = 0

  constructor(reader: AttachmentReader, places: Readonly<Record<Place, Repository>>, wanted: Wanted) {
    this.#reader = reader
    this.#places = places
    this.#wanted = wanted
  }

  /** A manifest and all that it names, the named first; nothing if it has been here before. */
  async tree(descriptor: Descriptor, place: Place, depth = 0): Promise<readonly CollectedManifest[]> {
    if (!this.#isNew(descriptor.digest, place)) return []
    const { bytes, mediaType } = await this.#reader.content.manifest(this.#places[place], descriptor.digest)
    return await this.#withNamed({ digest: descriptor.digest, bytes, mediaType }, place, depth)
  }

  /** Everything that hangs on a manifest. */
  async attachedTo({ descriptor: { digest } }: CollectedManifest): Promise<readonly CollectedManifest[]> {
    const [byTag, byList] = await Promise.all([this.#tagged(digest), this.#referring(digest)])
    return [...byTag, ...byList]
  }

  async #tagged(subject: string): Promise<readonly CollectedManifest[]> {
    const holds = TAG_KINDS.map((kind): Hold & { readonly by: 'tag' } => ({ by: 'tag', subject, kind }))
    const found = await Promise.all(
      holds.filter(this.#wanted).map(async (hold) => {
        const tag = attachmentTag(subject, hold.kind, this.#reader.tagPrefix)
        const repository = this.#places.attachments
        // Most are not there, and a HEAD does not count against limits on pulls.
        const there = await orUndefined(this.#reader.content.resolve(repository, tag))
        if (there === undefined || !this.#isNew(`${hold.kind} ${subject}`, 'attachments')) return []
        const manifest = await this.#reader.content.manifest(repository, there.digest)
        if (hold.kind !== 'sbom') readAttachmentImage(manifest, { repository, tag })
        return held(await this.#withNamed(manifest, 'attachments', 0), hold)
      }),
    )
    return found.flat()
  }

  async #referring(subject: string): Promise<readonly CollectedManifest[]> {
    const { descriptors } = await this.#reader.content.referrers(this.#places.attachments, subject)
    const found = await inParallel(descriptors, AT_ONCE, async ({ digest }) => await this.#referrer(subject, digest))
    return found.flat()
  }

  async #referrer(subject: string, digest: string): Promise<readonly CollectedManifest[]> {
    const repository = this.#places.attachments
    const skip = (reason: string): readonly CollectedManifest[] => {
      this.skipped.push({ subject, digest, reason })
      return []
    }
    const fetched = await orUndefined(this.#reader.content.manifest(repository, digest))
    if (fetched === undefined) return skip('is listed and not there')
    const manifest = readable(fetched.bytes, fetched.mediaType)
    if (manifest === undefined) return skip('is of a form that is not known')
    if (manifest.subject?.digest !== subject) return skip('is listed and does not refer to the image')
    const hold: Hold = { by: 'referrer', subject, kind: await referrerKind(this.#reader, repository, manifest) }
    if (!this.#wanted(hold) || !this.#isNew(digest, 'attachments')) return []
    return held(await this.#withNamed(fetched, 'attachments', 0), hold)
  }

  async #withNamed(
    { digest, bytes, mediaType }: { readonly digest: string; readonly bytes: Uint8Array; readonly mediaType: string },
    place: Place,
    depth: number,
  ): Promise<readonly CollectedManifest[]> {
    this.#bytes += bytes.length
    const manifest = parseManifest(bytes, mediaType)
    const self = { descriptor: { mediaType: manifest.mediaType, digest, size: bytes.length }, bytes, manifest, place }
    if (depth > MAX_DEPTH || this.#seen.size > MAX_MANIFESTS || this.#bytes > MAX_BYTES)
      throw tooMuch({ repository: this.#places[place], descriptor: self.descriptor })
    if (manifest.kind === 'image') return [self]
    const manifests = manifest.manifests.filter(({ mediaType: type }) => MANIFEST_MEDIA_TYPES.includes(type))
    const others = manifest.manifests.filter((child) => !manifests.includes(child))
    this.loose.push(...others.map((child) => ({ descriptor: child, place })))
    const named = await inParallel(manifests, AT_ONCE, async (child) => await this.tree(child, place, depth + 1))
    return [...named.flat(), self]
  }

  #isNew(name: string, place: Place): boolean {
    const key = `${place} ${name}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }
}

const TAG_KINDS: readonly TagKind[] = ['sig', 'att', 'sbom']

/** The last one is what is attached; the others are only named by it. */
function held(manifests: readonly CollectedManifest[], hold: Hold): readonly CollectedManifest[] {
  return manifests.map((each, index) => (index === manifests.length - 1 ? { ...each, hold } : each))
}

function readable(bytes: Uint8Array, mediaType: string): Manifest | undefined {
  try {
    return parseManifest(bytes, mediaType)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

/** Layers that may not be passed on are no part of what a registry has (image-spec, "Non-Distributable Layers"). */
const NOT_DISTRIBUTED = /\.nondistributable\.|\.foreign\./

function blobsOf(manifests: readonly CollectedManifest[], loose: readonly CollectedBlob[]): readonly CollectedBlob[] {
  const blobs = new Map<string, CollectedBlob>()
  const named = manifests.flatMap(({ manifest, place }) =>
    manifest.kind === 'image' ? [manifest.config, ...manifest.layers].map((descriptor) => ({ descriptor, place })) : [],
  )
  for (const blob of [...named, ...loose]) {
    if (NOT_DISTRIBUTED.test(blob.descriptor.mediaType)) continue
    blobs.set(`${blob.place} ${blob.descriptor.digest}`, blob)
  }
  return [...blobs.values()]
}

function tooMuch({ repository, descriptor }: ResolvedImage): ImagesError {
  const at = repository.registry === '' ? '' : `${repositoryName(repository)}@`
  return new ImagesError('IMAGES_LAYOUT', `${at}${descriptor.digest} contains too much to be moved`, {
    expected: `at most ${String(MAX_MANIFESTS)} manifests of together ${String(MAX_BYTES)} bytes, nested at most ${String(MAX_DEPTH)} deep`,
  })
}
