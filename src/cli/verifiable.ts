/** Images to be verified: in registries, or in a folder that `save` wrote (`--local-image`). @module */
import { type AttachmentQuery, type LocatedAttachments, locateAttachments } from '#images/locate'
import type { AttachmentReader } from '#images/store'
import { attachedImage, type DigestedImage, digestImage, type ImageFlags, openImages } from './images.js'
import { UsageError } from './kit/errors.js'
import type { Host } from './kit/host.js'

export interface VerifiableFlags extends ImageFlags {
  readonly 'local-image': boolean
  /** Not the image is meant but what was attached to it. */
  readonly attachment?: 'sbom' | undefined
}

/** An image, and where its attachments are. */
export interface VerifiableImage {
  readonly images: AttachmentReader
  readonly image: DigestedImage
  /** Of what was wanted, the answer that is on its way. */
  readonly located?: Promise<LocatedAttachments>
}

export interface Verifiables {
  readonly names: readonly string[]
  readonly verbose: boolean
  /** What is going to be read of each image; a registry is asked for it as soon as the digest is known. */
  readonly wanted: Pick<AttachmentQuery, 'kind' | 'predicateType'> | undefined
}

/**
 * Opens each image that is named. The promise may be left alone until there is time for it.
 * @throws as {@link digestImage} does; ImagesError `IMAGES_LAYOUT`
 */
export function openVerifiable(
  host: Host,
  flags: VerifiableFlags,
  verifiables: Verifiables,
): Promise<readonly VerifiableImage[]> {
  return awaitedLater(open(host, flags, verifiables))
}

async function open(
  host: Host,
  flags: VerifiableFlags,
  { names, verbose, wanted }: Verifiables,
): Promise<readonly VerifiableImage[]> {
  const { attachment } = flags
  if (flags['local-image'] && attachment !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'a folder that save wrote does not hold what was attached at tags', {
      found: '--local-image and --attachment',
    })
  }
  if (flags['local-image']) {
    const { openFolder } = await import('./local-image.js')
    return await Promise.all(names.map(async (name) => await openFolder(flags, name)))
  }
  const images = await openImages(host, flags, { verbose })
  return await Promise.all(
    names.map(async (name) => {
      const named = await digestImage(images.content, name)
      const image = attachment === undefined ? named : await attachedImage(images, named, attachment)
      if (wanted === undefined) return { images, image }
      const query = { ...wanted, repository: image.repository, digest: image.descriptor.digest }
      return { images, image, located: awaitedLater(locateAttachments(images, query)) }
    }),
  )
}

/** A failure that nobody waits for yet is no unhandled one. */
function awaitedLater<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}
