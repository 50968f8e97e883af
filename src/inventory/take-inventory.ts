/** Taking an inventory: names, digests, attestations, one stored answer. @module */
import type { Clock } from '#time'
import type { CacheFiles } from './cache/files.js'
import { openEntries } from './cache/entries.js'
import { storeInventory } from './cache/inventory-file.js'
import { resolveSightings } from './collect/resolve.js'
import type { Collected } from './collect/sighting.js'
import { examineImage, unresolvedImage } from './examine/examine-image.js'
import { createFetchGate } from './examine/fetch-gate.js'
import { InventoryError } from './inventory-error.js'
import type { Inventory } from './model.js'
import { AT_ONCE } from './at-once.js'
import type { AttachmentReader } from '#images/store'
import { inParallel } from '#images/parallel'
import type { TrustPorts } from './trust.js'

export interface InventoryPorts {
  readonly images: AttachmentReader
  readonly trust: TrustPorts
  readonly files: CacheFiles
  /** Of this inventory. */
  readonly folder: string
  readonly clock: Clock
  readonly progress?: (done: number, all: number) => void
}

export interface InventoryRequest {
  readonly collected: readonly Collected[]
  /** Platforms that count where it is not known on which an image runs; empty means all. */
  readonly platforms: readonly string[]
}

/**
 * Looks at every image and stores the inventory. Only what is new is fetched and verified; what no image has any more is
 * dropped from the cache.
 * @throws InventoryError `INVENTORY_SOURCE` if there is no image at all: an empty answer would say that all is well
 */
export async function takeInventory(ports: InventoryPorts, request: InventoryRequest): Promise<Inventory> {
  const { images, trust, files, folder, clock, progress } = ports
  const { collected, platforms } = request
  const takenAt = clock()
  const sightings = collected.flatMap((each) => each.sightings)
  if (sightings.length === 0) {
    throw new InventoryError('INVENTORY_SOURCE', 'there is no image to look at', {
      expected: 'at least one image',
      found: `none in ${collected.map(({ source }) => source).join(', ') || 'nothing'}`,
    })
  }
  const { images: resolved, unresolved } = await resolveSightings(images.content, sightings)
  const entries = openEntries(files, folder)
  const options = { images, trust, entries, gate: createFetchGate(), platforms }
  let done = 0
  const examined = await inParallel(resolved, AT_ONCE, async (image) => {
    const result = await examineImage(options, image)
    done += 1
    progress?.(done, resolved.length)
    return result
  })
  const inventory: Inventory = {
    takenAt,
    sources: collected.map(({ source }) => source),
    trust: { fingerprint: trust.fingerprint, sboms: trust.sboms.names, vex: trust.vex?.names ?? [] },
    images: [...examined, ...unresolved.map(unresolvedImage)].sort((a, b) => compareNames(a.names, b.names)),
    notes: collected.flatMap(({ notes }) => notes),
  }
  await storeInventory(files, folder, inventory)
  await entries.keepOnly(keysOf(inventory))
  return inventory
}

function keysOf({ images }: Inventory): ReadonlySet<string> {
  return new Set(
    images.flatMap(({ platforms: all }) => all.flatMap(({ sboms, vex }) => [...sboms, ...vex].map(({ key }) => key))),
  )
}

function compareNames([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
