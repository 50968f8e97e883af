/** Changing what a tag points at when others may be doing the same: registries have no compare-and-swap to rely on. @module */
import { wait } from '#clients/http/timers'
import { orUndefined } from '#clients/registry/client'
import type { FetchedManifest, OutgoingManifest } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import type { Repository } from '#formats/oci/reference'
import { ImagesError } from './images-error.js'
import { patiently } from './patience.js'
import type { AttachmentWriter } from './store.js'

/** A change to a tag that can be made again on top of somebody else's. */
export interface TagChange {
  readonly repository: Repository
  readonly tag: string
  /** What the tag should hold, given what it holds; undefined if it is right already. */
  readonly merge: (existing: FetchedManifest | undefined) => Promise<OutgoingManifest | undefined>
}

const ATTEMPTS = 12
const MIN_PAUSE = 60
const MAX_PAUSE = 4_000

/**
 * Reads, merges, writes and, after a pause, reads again, until the change is seen to have lasted.
 *
 * Two writers that read the same state overwrite one another, and the one who is overwritten cannot know it at once.
 * So the tag is looked at right before the write (which makes the dangerous time one round trip) and again after several
 * round trips; whoever misses its change then makes it again. With If-Match, where a registry honours it, nothing is
 * overwritten in the first place.
 * @throws ImagesError IMAGES_CONTENDED if the change never lasts
 */
export async function updateTag(writer: AttachmentWriter, change: TagChange): Promise<void> {
  const { content, clock, timers, random } = writer
  const { repository, tag, merge } = change
  const read = async (): Promise<FetchedManifest | undefined> => await orUndefined(content.manifest(repository, tag))
  const startedReading = clock()
  let existing = await read()
  let roundTrip = clock() - startedReading
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const next = await merge(existing)
    if (next === undefined) return
    const current = attempt === 1 && existing === undefined ? existing : await read()
    if (current?.digest !== existing?.digest) {
      existing = current
      continue
    }
    const startedWriting = clock()
    if (await write(writer, change, { ...next, ifMatch: existing?.etag })) {
      roundTrip = Math.max(roundTrip, clock() - startedWriting)
      const calm = Math.min(MAX_PAUSE, Math.max(MIN_PAUSE, 3 * roundTrip) * attempt)
      await wait(timers, calm * (1 + random()), undefined)
    }
    existing = await read()
  }
  if ((await merge(existing)) === undefined) return
  throw new ImagesError(
    'IMAGES_CONTENDED',
    `${repository.registry}/${repository.repository}:${tag} is changed by others all the time`,
    {
      expected: 'the change to last',
      hint: 'Try again; the signature itself is made. A registry with the referrers API does not have this problem.',
    },
  )
}

/** False if the registry says that somebody was faster. */
async function write(
  writer: AttachmentWriter,
  { repository, tag }: TagChange,
  manifest: Parameters<AttachmentWriter['content']['pushManifest']>[2],
): Promise<boolean> {
  try {
    await patiently(writer, async () => await writer.content.pushManifest(repository, tag, manifest))
    return true
  } catch (error) {
    // Without a condition a conflict is an immutable tag, which no further attempt changes.
    if (error instanceof RegistryError && error.code === 'REGISTRY_CONFLICT' && manifest.ifMatch !== undefined)
      return false
    throw error
  }
}
