/** Taking an inventory from the command line. @module */
import type { Collected } from '#inventory/collect/sighting'
import type { Inventory } from '#inventory/model'
import { takeInventory } from '#inventory/take-inventory'
import { openImages, type ImageFlags } from '../images.js'
import type { Host } from '../kit/host.js'
import { withProgress } from '../progress.js'
import { inventoryFolder } from './folder.js'
import { prepareTrust, type TrustFlags } from './trust.js'

export interface TakeFlags extends TrustFlags, ImageFlags {
  readonly name: string
  readonly cache: string | undefined
  readonly platform: readonly string[]
}

/** Verifies and stores what the sources have. */
export async function takeFromFlags(
  host: Host,
  flags: TakeFlags,
  {
    collected,
    signal,
    verbose,
  }: { readonly collected: readonly Collected[]; readonly signal: AbortSignal; readonly verbose: boolean },
): Promise<Inventory> {
  const folder = inventoryFolder(host, flags)
  const trust = await prepareTrust(host, flags, signal)
  const images = await openImages(host, flags, { verbose })
  let line = 'Resolving images'
  const progress = (done: number, all: number): void => {
    line = `Verifying bills of materials: ${String(done)} of ${String(all)} images`
  }
  return await withProgress(
    host,
    () => line,
    async () =>
      await takeInventory(
        { images, trust, files: host.files, folder, clock: host.clock, progress },
        { collected, platforms: flags.platform },
      ),
  )
}
