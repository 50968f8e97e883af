/** Images to be verified: in registries, or in a folder that `save` wrote (`--local-image`). @module */
import { nodeLayoutFiles } from '#images/node-layout-files'
import { openLayout, soleImage } from '#images/oci-layout'
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
}

/** Opens each image that is named. @throws as {@link digestImage} does; ImagesError `IMAGES_LAYOUT` */
export async function openVerifiable(
  host: Host,
  flags: VerifiableFlags,
  { names, verbose }: { readonly names: readonly string[]; readonly verbose: boolean },
): Promise<readonly VerifiableImage[]> {
  const { attachment } = flags
  if (flags['local-image'] && attachment !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'a folder that save wrote does not hold what was attached at tags', {
      found: '--local-image and --attachment',
    })
  }
  if (flags['local-image']) return await Promise.all(names.map(async (name) => await openFolder(flags, name)))
  const images = await openImages(host, flags, { verbose })
  return await Promise.all(
    names.map(async (name) => {
      const image = await digestImage(images.content, name)
      return { images, image: attachment === undefined ? image : await attachedImage(images, image, attachment) }
    }),
  )
}

async function openFolder(flags: VerifiableFlags, folder: string): Promise<VerifiableImage> {
  const files = nodeLayoutFiles(folder)
  const content = await openLayout(files)
  const descriptor = await soleImage(files)
  const bundle = { allowCertificateChain: flags['allow-certificate-chain'] }
  // A layout has no name for the image in it; the folder is what the user knows it by.
  return {
    images: { content, bundle },
    image: { repository: { registry: '', repository: '' }, descriptor, name: folder },
  }
}
