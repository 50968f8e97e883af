/** Writing an image with all that hangs on it to a registry (`load`, `copy`). @module */
import { orUndefined } from '#clients/registry/client'
import type { OutgoingManifest } from '#clients/registry/registry'
import { isCodedError } from '#errors'
import type { Descriptor } from '#formats/oci/descriptor'
import { repositoryName, type Reference, type Repository } from '#formats/oci/reference'
import { attachmentTag } from '#formats/oci/tags'
import { mergeAttachments } from './attach-layer.js'
import { referrerDescriptor } from './bundle-manifest.js'
import type { CollectedBlob, CollectedManifest, Hold, ImageCollection, Place } from './collect.js'
import { updateFallbackIndex } from './fallback-index.js'
import { ImagesError } from './images-error.js'
import { inParallel, untilAborted } from './parallel.js'
import { patiently } from './patience.js'
import type { AttachmentWriter } from './store.js'
import { counted, type Transfer } from './transfer.js'

/** Where a collection goes. */
export interface Destination {
  readonly writer: AttachmentWriter
  readonly places: Readonly<Record<Place, Repository>>
  /** What the image is called there; undefined if only what hangs on it is written. */
  readonly name?: Reference | undefined
}

/** Uploads at once. */
const AT_ONCE = 4

/**
 * Refuses to go on where something else goes by a name that is to be written. Lists of signatures are no such thing: they are
 * added to.
 * @throws ImagesError IMAGES_EXISTS
 */
export async function checkFree({ writer, places, name }: Destination, collection: ImageCollection): Promise<void> {
  const { content } = writer
  const names = [
    ...(name?.kind === 'tag' ? [{ repository: places.image, tag: name.tag, digest: collection.image.digest }] : []),
    ...collection.manifests.flatMap(({ descriptor, hold }) =>
      isSingle(hold) ? [{ repository: places.attachments, tag: tagOf(writer, hold), digest: descriptor.digest }] : [],
    ),
  ]
  for (const { repository, tag, digest } of names) {
    const there = await orUndefined(content.resolve(repository, tag))
    if (there !== undefined && there.digest !== digest) {
      throw new ImagesError(
        'IMAGES_EXISTS',
        `image "${repositoryName(repository)}:${tag}" already exists. Use \`-f\` to overwrite`,
        { expected: digest, found: there.digest },
      )
    }
  }
}

/**
 * Blobs first, then the manifests that name them, then what hangs on them, and the image's tag last: nobody finds the image by it
 * before its signatures are there. What is there already is not sent, and what is there beside it stays.
 * @throws RegistryError, ImagesError IMAGES_CONTENDED, IMAGES_LAYER_LIMIT, IMAGES_REFERRER; OciError OCI_DIGEST
 */
export async function deliverImage(
  destination: Destination,
  collection: ImageCollection,
  transfer: Transfer,
): Promise<void> {
  const { writer, places, name } = destination
  transfer.expect(collection.blobs)
  await inParallel(collection.blobs, AT_ONCE, async (blob, signal) => {
    await deliverBlob(destination, collection, { blob, signal, transfer })
  })
  const [held, named] = split(collection.manifests, ({ hold }) => hold !== undefined)
  const deliver = async ({ descriptor, bytes, place }: CollectedManifest): Promise<void> => {
    await push(writer, places[place], { name: descriptor.digest, mediaType: descriptor.mediaType, bytes })
  }
  const [images, indexes] = split(named, ({ manifest }) => manifest.kind === 'image')
  await inParallel(images, AT_ONCE, deliver)
  for (const index of indexes) await deliver(index)
  await deliverTagged(destination, held)
  await deliverReferrers(destination, held)
  const root = named.find(({ descriptor }) => descriptor.digest === collection.image.digest)
  if (root !== undefined && name?.kind === 'tag') await pointTag(destination, name.tag, root)
}

interface BlobDelivery {
  readonly blob: CollectedBlob
  readonly signal: AbortSignal
  readonly transfer: Transfer
}

async function deliverBlob(
  { writer, places }: Destination,
  { content: source, places: sources }: ImageCollection,
  { blob: { descriptor, place }, signal, transfer }: BlobDelivery,
): Promise<void> {
  const { content } = writer
  const [from, to] = [sources[place], places[place]]
  const there = await content.hasBlob(to, descriptor.digest)
  if (there || (await takenOver(writer, { digest: descriptor.digest, from, to }))) {
    transfer.present(descriptor)
    return
  }
  const open = (): AsyncIterable<Uint8Array> =>
    counted(untilAborted(source.openBlob(from, descriptor), signal), descriptor, transfer)
  await patiently(writer, async () => {
    await content.uploadBlob(to, descriptor, open)
  })
}

/** Whether the registry has taken the blob over from another repository of its own; one that would rather not gets it sent. */
async function takenOver(
  { content }: AttachmentWriter,
  { digest, from, to }: { readonly digest: string; readonly from: Repository; readonly to: Repository },
): Promise<boolean> {
  if (from.registry !== to.registry || from.repository === to.repository) return false
  try {
    return await content.mountBlob(to, digest, from)
  } catch (error) {
    if (isCodedError(error) && WOULD_RATHER_NOT.has(error.code)) return false
    throw error
  }
}

/** A login that may not read there, and registries that know no mounts or no repository of that name. */
const WOULD_RATHER_NOT: ReadonlySet<string> = new Set([
  'REGISTRY_UNAUTHORIZED',
  'REGISTRY_DENIED',
  'REGISTRY_NOT_FOUND',
  'REGISTRY_UNSUPPORTED',
  'REGISTRY_REFUSED',
])

async function push(
  writer: AttachmentWriter,
  repository: Repository,
  { name, ...manifest }: OutgoingManifest & { readonly name: string },
): Promise<boolean> {
  const { content } = writer
  const written = await patiently(writer, async () => await content.pushManifest(repository, name, manifest))
  return written.subjectRecorded
}

async function deliverTagged({ writer, places }: Destination, held: readonly CollectedManifest[]): Promise<void> {
  await inParallel(held, AT_ONCE, async ({ descriptor, bytes, hold }) => {
    if (hold?.by !== 'tag') return
    const at = { repository: places.attachments, tag: tagOf(writer, hold) }
    const { mediaType, digest } = descriptor
    if (isSingle(hold)) await push(writer, at.repository, { name: at.tag, mediaType, bytes })
    else await mergeAttachments(writer, { ...at, manifest: { mediaType, digest, bytes } })
  })
}

/** Where the registry takes no note of what refers to what, the lists are kept for it; each is written once. */
async function deliverReferrers(
  { writer, places: { attachments: repository } }: Destination,
  held: readonly CollectedManifest[],
): Promise<void> {
  const unlisted = new Map<string, Descriptor[]>()
  for (const { descriptor, manifest, bytes, hold } of held) {
    if (hold?.by !== 'referrer') continue
    const { digest: name, mediaType } = descriptor
    const listed = await push(writer, repository, { name, mediaType, bytes })
    if (!listed) {
      const { subject } = hold
      unlisted.set(subject, [...(unlisted.get(subject) ?? []), referrerDescriptor(manifest, bytes)])
    }
  }
  await inParallel([...unlisted], AT_ONCE, async ([subject, add]) => {
    const { source } = await writer.content.referrers(repository, subject)
    if (source === 'tag') await updateFallbackIndex(writer, { repository, subject, add })
  })
}

async function pointTag(
  { writer, places: { image: repository } }: Destination,
  tag: string,
  { descriptor: { digest, mediaType }, bytes }: CollectedManifest,
): Promise<void> {
  const there = await orUndefined(writer.content.resolve(repository, tag))
  if (there?.digest !== digest) await writer.content.pushManifest(repository, tag, { mediaType, bytes })
}

/** A bill of materials at a tag is one thing, which is replaced; signatures and attestations are lists, which grow. */
function isSingle(hold: Hold | undefined): hold is Hold & { readonly by: 'tag' } {
  return hold?.by === 'tag' && hold.kind === 'sbom'
}

function tagOf({ tagPrefix }: AttachmentWriter, { subject, kind }: Hold & { readonly by: 'tag' }): string {
  return attachmentTag(subject, kind, tagPrefix)
}

function split<T>(items: readonly T[], test: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(test), items.filter((item) => !test(item))]
}
