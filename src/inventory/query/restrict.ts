/** A part of a stored inventory: only some images, without asking anybody about them. @module */
import { isCodedError } from '#errors'
import { parseReference, repositoryName } from '#formats/oci/reference'
import type { Sighting } from '../collect/sighting.js'
import type { Inventory, InventoryImage } from '../model.js'

/** The images that are named, as far as the inventory knows them; the others are unknown. */
export function restrictInventory(inventory: Inventory, sightings: readonly Sighting[]): Inventory {
  const images = new Set<InventoryImage>()
  for (const sighting of sightings) {
    const known = inventory.images.filter((image) => isImage(image, sighting))
    for (const image of known.length === 0 ? [unknownImage(sighting)] : known) images.add(image)
  }
  return { ...inventory, images: [...images] }
}

function isImage(
  { names, repositories, digest, index, platforms }: InventoryImage,
  { name, running }: Sighting,
): boolean {
  const digests = [digest, index, ...platforms.map((each) => each.digest)]
  if (running !== undefined) return digests.includes(running.digest)
  if (names.includes(name)) return true
  const reference = referenceOf(name)
  return (
    reference?.kind === 'digest' &&
    repositories.includes(repositoryName(reference)) &&
    digests.includes(reference.digest)
  )
}

function referenceOf(name: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(name)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function unknownImage({ name, workload, running }: Sighting): InventoryImage {
  return {
    names: [name],
    repositories: [],
    digest: running?.digest,
    basis: undefined,
    index: undefined,
    workloads: workload === undefined ? [] : [workload],
    platforms: [],
    unknown: { reason: 'NOT_INDEXED', detail: 'the stored inventory does not have it' },
  }
}
