/** Writing an image with all that hangs on it as an OCI image layout, in the form that `cosign load` reads. @module */
import { verifyingStream } from '#clients/registry/content-digest'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Descriptor } from '#formats/oci/descriptor'
import { serializeManifest } from '#formats/oci/manifest'
import { ANNOTATIONS, MEDIA_TYPES } from '#formats/oci/media-types'
import { attachmentTag } from '#formats/oci/tags'
import type { CollectedManifest, ImageCollection } from './collect.js'
import { blobPath, checkVersion, LAYOUT_KINDS, type LayoutFiles } from './oci-layout.js'
import { inParallel, untilAborted } from './parallel.js'
import { counted, type Transfer } from './transfer.js'

/** A layout's files, to be written. */
export interface LayoutStore extends LayoutFiles {
  /** Bytes in a file; undefined if there is none. */
  readonly size: (path: string) => Promise<number | undefined>
  /**
   * Writes a file whole or not at all, in place of one that is there. What the pieces throw is thrown.
   * When this resolves, a crash does not undo it.
   */
  readonly write: (path: string, pieces: AsyncIterable<Uint8Array>) => Promise<void>
  /** Removes what writers that did not come to an end have left. */
  readonly tidy: () => Promise<void>
}

export interface SaveOptions {
  /** The tag that the image was named by; tools other than cosign find it by that. */
  readonly tag?: string | undefined
  readonly transfer: Transfer
}

/** Downloads at once. */
const AT_ONCE = 4

/**
 * Saves a collection. What is there already, and is what its name says, is not fetched again, so that a save that was broken off goes on
 * where it was. The index is written last: until then the directory holds what it held before.
 * @throws RegistryError REGISTRY_DIGEST and others; ImagesError IMAGES_LAYOUT for a directory that is another version's layout
 */
export async function saveImage(
  store: LayoutStore,
  collection: ImageCollection,
  { tag, transfer }: SaveOptions,
): Promise<void> {
  await checkVersion(store)
  await store.tidy()
  transfer.expect(collection.blobs)
  try {
    await inParallel(collection.blobs, AT_ONCE, async ({ descriptor, place }, signal) => {
      const path = blobPath(descriptor.digest)
      if (await isWhole(store, path, descriptor)) {
        transfer.present(descriptor)
        return
      }
      const pieces = collection.content.openBlob(collection.places[place], descriptor)
      await store.write(path, counted(untilAborted(pieces, signal), descriptor, transfer))
    })
    for (const { descriptor, bytes } of collection.manifests) {
      const path = blobPath(descriptor.digest)
      if (!(await isWhole(store, path, descriptor))) await store.write(path, whole(bytes))
    }
    await store.write('oci-layout', whole(encodeUtf8('{\n    "imageLayoutVersion": "1.0.0"\n}')))
    await store.write('index.json', whole(serializeManifest({ ...EMPTY_INDEX, manifests: entriesOf(collection, tag) })))
  } finally {
    await store.tidy()
  }
}

const EMPTY_INDEX = { kind: 'index', mediaType: MEDIA_TYPES.ociIndex } as const

/** Whether a blob is there and has its digest: a file may have been cut short, or changed. */
async function isWhole(store: LayoutStore, path: string, descriptor: Descriptor): Promise<boolean> {
  if ((await store.size(path)) !== descriptor.size) return false
  const pieces = await store.open(path)
  if (pieces === undefined) return false
  try {
    let left = descriptor.size
    for await (const piece of verifyingStream(pieces, descriptor, store.directory)) left -= piece.length
    return left === 0
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

/**
 * The entries of the index. cosign looks for its `kind`, of which it takes the first of each: the image's own. What hangs on the images in
 * an index goes by its tag alone; referrers are named without their annotations, which are a stranger's and could pose as a kind.
 */
function entriesOf({ image, manifests }: ImageCollection, tag: string | undefined): readonly Descriptor[] {
  const isIndex = manifests.some(
    ({ descriptor, manifest }) => descriptor.digest === image.digest && manifest.kind === 'index',
  )
  const root: Descriptor = {
    ...pointer(image),
    annotations: {
      [ANNOTATIONS.kind]: isIndex ? LAYOUT_KINDS.index : LAYOUT_KINDS.image,
      ...(tag !== undefined && { [ANNOTATIONS.refName]: tag }),
    },
  }
  return [root, ...manifests.flatMap((each) => attachedEntry(each, image.digest))]
}

function attachedEntry({ descriptor, manifest, hold }: CollectedManifest, image: string): readonly Descriptor[] {
  if (hold === undefined) return []
  if (hold.by === 'referrer') {
    const artifactType = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined)
    return [{ ...pointer(descriptor), artifactType, annotations: { [ANNOTATIONS.kind]: REFERRER_KIND } }]
  }
  const { kind, subject } = hold
  const own = subject === image && kind !== 'sbom' ? { [ANNOTATIONS.kind]: LAYOUT_KINDS[kind] } : {}
  return [{ ...pointer(descriptor), annotations: { ...own, [ANNOTATIONS.refName]: attachmentTag(subject, kind) } }]
}

/** Ours; cosign passes over kinds that it does not know. */
const REFERRER_KIND = 'dev.countersign/referrer'

function pointer({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes)
}
