/** A bill of materials beside an image, at the tag `sha256-<hex>.sbom`: what clients did before attestations. Nobody signs it. @module */
import { orUndefined } from '#clients/registry/client'
import { equalBytes } from '#encoding/bytes'
import { repositoryName, type Repository } from '#formats/oci/reference'
import { attachmentTag } from '#formats/oci/tags'
import { attachLayer, readAttachmentImage } from './attach-layer.js'
import { blobsOf } from './find.js'
import { ImagesError } from './images-error.js'
import { attachmentsOf, type AttachmentReader, type AttachmentWriter } from './store.js'

/** A bill of materials, as it was attached. */
export interface AttachedSbom {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** The image that it belongs to. */
export interface SbomPlace {
  readonly repository: Repository
  /** `sha256:…` */
  readonly digest: string
}

/** Reads it; undefined if there is none. @throws RegistryError; ImagesError IMAGES_LAYOUT */
export async function readSbom(reader: AttachmentReader, place: SbomPlace): Promise<AttachedSbom | undefined> {
  const repository = attachmentsOf(reader, place.repository)
  const tag = attachmentTag(place.digest, 'sbom', reader.tagPrefix)
  const manifest = await orUndefined(reader.content.manifest(repository, tag))
  if (manifest === undefined) return undefined
  const { layers } = readAttachmentImage(manifest, { repository, tag })
  const [layer] = layers
  if (layer === undefined || layers.length > 1) {
    throw new ImagesError('IMAGES_LAYOUT', `${repositoryName(repository)}:${tag} is no bill of materials`, {
      expected: 'one layer',
      found: String(layers.length),
    })
  }
  return { mediaType: layer.mediaType, bytes: await blobsOf(reader)(repository, layer) }
}

/**
 * Writes it, in place of one that is there, and reads it again.
 * @throws RegistryError; ImagesError IMAGES_CONTENDED, IMAGES_UNCONFIRMED
 */
export async function attachSbom(
  writer: AttachmentWriter,
  place: SbomPlace,
  { mediaType, bytes }: AttachedSbom,
): Promise<void> {
  const layer = { mediaType, bytes, annotations: {} }
  await attachLayer(writer, { ...place, tag: 'sbom', layer, replaces: () => true })
  const found = await readSbom(writer, place)
  if (found?.mediaType === mediaType && equalBytes(found.bytes, bytes)) return
  throw new ImagesError('IMAGES_UNCONFIRMED', 'the bill of materials at the tag is not the one that was attached', {
    hint: 'somebody else attaches one to the same image',
  })
}
