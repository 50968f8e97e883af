/** Images in folders that `save` wrote (`--local-image`). @module */
import { nodeLayoutFiles } from '#images/node-layout-files'
import { openLayout, soleImage } from '#images/oci-layout'
import type { AttachmentReader } from '#images/store'
import type { DigestedImage, ImageFlags } from './images.js'

export interface LocalImage {
  readonly images: AttachmentReader
  readonly image: DigestedImage
}

/** @throws ImagesError `IMAGES_LAYOUT` */
export async function openFolder(
  flags: Pick<ImageFlags, 'allow-certificate-chain'>,
  folder: string,
): Promise<LocalImage> {
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
