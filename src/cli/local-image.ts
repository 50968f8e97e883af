/** Images in folders that `save` wrote (`--local-image`). @module */
import { nodeLayoutFiles } from '#images/node-layout-files'
import { openLayout, soleImage } from '#images/oci-layout'
import type { VerifiableFlags, VerifiableImage } from './verifiable.js'

/** @throws ImagesError `IMAGES_LAYOUT` */
export async function openFolder(
  flags: Pick<VerifiableFlags, 'allow-certificate-chain'>,
  folder: string,
): Promise<VerifiableImage> {
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
