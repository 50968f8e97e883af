/** Changing what a tag points at when others may be doing the same: registries have no compare-and-swap to rely on. @module */
import { wait } from '#clients/http/timers'
import { orUndefined } from '#clients/registry/client'
import type { FetchedManifest, OutgoingManifest } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import { digestOf } from '#formats/oci/digest'
import type { Repository } from '#formats/oci/reference'
import { ImagesError } from './images-error.js'
import { isPassing } from './patience.js'
import type { AttachmentWriter } from './store.js'

/** A change to a tag that can be made again on top of somebody else's. */
export interface TagChange {
  readonly repository: Repository
  readonly tag: string
  /** What the tag should hold, given what it holds; undefined if it is right already. */
  readonly merge: (existing: FetchedManifest | undefined) => Promise<OutgoingManifest | undefined>
}

const WRITES = 12
/** Looks in all, also while others keep writing. */
const LOOKS = 60
const MIN_PAUSE = 80
const MAX_PAUSE = 4_000
/** So many times its own dangerous time a writer waits for those of others to pass. */
const CAUTION = 4

/**
 * Reads, merges, writes, and looks again until the change has lasted through a pause in which nobody else wrote.
 *
 * Two writers that read the same state overwrite one another, and the one who is overwritten cannot know it at once.
 * So the tag is looked at right before the write, which makes the dangerous time two round trips, and again after several
 * times as long; whoever misses its change then makes it again, and whoever sees that others are at work waits for them to
 * be done. With If-Match, where a registry honours it, nothing is overwritten in the first place.
 * @throws ImagesError IMAGES_CONTENDED if the change never lasts
 */
export async function updateTag(writer: AttachmentWriter, change: TagChange): Promise<void> {
  const { content, clock, timers, random } = writer
  const { repository, tag, merge } = change
  const read = async (): Promise<FetchedManifest | undefined> => await orUndefined(content.manifest(repository, tag))
  let pause = MIN_PAUSE
  const calm = async (): Promise<void> => {
    await wait(timers, pause * (1 + random()), undefined)
  }
  let existing = await read()
  /** What the tag held when it was last known to be right; undefined before the first write. */
  let seen: string | undefined
  for (let looks = 0, writes = 0; looks < LOOKS; looks++) {
    const next = await merge(existing)
    if (next === undefined) {
      if (seen === undefined || existing?.digest === seen) return
      seen = existing?.digest
      await calm()
      existing = await read()
      continue
    }
    if (writes === WRITES) break
    const start = clock()
    const current = await read()
    if (current?.digest !== existing?.digest) {
      existing = current
      continue
    }
    writes++
    if (await write(writer, change, { ...next, ifMatch: existing?.etag, last: writes === WRITES }))
      seen = digestOf(next.bytes)
    pause = Math.min(MAX_PAUSE, Math.max(pause, CAUTION * (clock() - start)))
    await calm()
    existing = await read()
  }
  throw new ImagesError(
    'IMAGES_CONTENDED',
    `${repository.registry}/${repository.repository}:${tag} is changed by others all the time`,
    {
      expected: 'the change to last',
      hint: 'Try again; the signature itself is made. A registry with the referrers API does not have this problem.',
    },
  )
}

/**
 * False if nothing was written and it is worth another look: somebody was faster, or the registry is briefly out of step.
 * The same bytes are never sent again without looking, since by then they may undo what somebody else wrote.
 */
async function write(
  { content }: AttachmentWriter,
  { repository, tag }: TagChange,
  manifest: Parameters<AttachmentWriter['content']['pushManifest']>[2] & { readonly last: boolean },
): Promise<boolean> {
  const { last, ...outgoing } = manifest
  try {
    await content.pushManifest(repository, tag, outgoing)
    return true
  } catch (error) {
    // Without a condition a conflict is an immutable tag, which no further attempt changes.
    const overtaken =
      error instanceof RegistryError && error.code === 'REGISTRY_CONFLICT' && outgoing.ifMatch !== undefined
    if (last || (!overtaken && !isPassing(error))) throw error
    return false
  }
}
