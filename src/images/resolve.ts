/** From what somebody typed to digests, and from an index to the images in it. @module */
import type { ContentReader } from '#clients/registry/registry'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { MANIFEST_MEDIA_TYPES } from '#formats/oci/media-types'
import { repositoryName, type Reference } from '#formats/oci/reference'
import type { ResolvedImage } from './attachment.js'
import { ImagesError } from './images-error.js'

/** What a reference points at now, without fetching it. @throws RegistryError REGISTRY_NOT_FOUND */
export async function resolveImage(content: ContentReader, reference: Reference): Promise<ResolvedImage> {
  const { registry, repository } = reference
  const name = reference.kind === 'tag' ? reference.tag : reference.digest
  const descriptor = await content.resolve({ registry, repository }, name)
  return { repository: { registry, repository }, descriptor }
}

const MAX_DEPTH = 4
const MAX_IMAGES = 1000

/**
 * An image and, if it is an index, everything in it, the index first, each digest once (`sign -r`).
 * @throws RegistryError; ImagesError IMAGES_LAYOUT for indexes that are nested too deeply or too large
 */
export async function expandImage(content: ContentReader, image: ResolvedImage): Promise<readonly ResolvedImage[]> {
  const seen = new Map<string, Descriptor>()
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (seen.has(descriptor.digest) || !MANIFEST_MEDIA_TYPES.includes(descriptor.mediaType)) return
    if (depth > MAX_DEPTH || seen.size === MAX_IMAGES) throw tooMuch(image)
    seen.set(descriptor.digest, descriptor)
    if (!/index|manifest\.list/.test(descriptor.mediaType)) return
    const { bytes, mediaType } = await content.manifest(image.repository, descriptor.digest)
    const manifest = parseManifest(bytes, mediaType)
    if (manifest.kind !== 'index') return
    for (const child of manifest.manifests) await visit(child, depth + 1)
  }
  await visit(image.descriptor, 0)
  return [...seen.values()].map((descriptor) => ({ repository: image.repository, descriptor }))
}

function tooMuch({ repository, descriptor }: ResolvedImage): ImagesError {
  return new ImagesError('IMAGES_LAYOUT', `${repositoryName(repository)}@${descriptor.digest} contains too much`, {
    expected: `at most ${String(MAX_IMAGES)} images, indexes nested at most ${String(MAX_DEPTH)} deep`,
  })
}
