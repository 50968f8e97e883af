/** Removing what hangs on an image. @module */
import { orUndefined } from '#clients/registry/client'
import type { FetchedManifest } from '#clients/registry/registry'
import { RegistryError } from '#clients/registry/registry-error'
import { isCodedError } from '#errors'
import type { Manifest } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { repositoryName, type Repository } from '#formats/oci/reference'
import { attachmentTag, type AttachmentKind as TagKind, referrersTag } from '#formats/oci/tags'
import { updateFallbackIndex } from './fallback-index.js'
import { inParallel } from './parallel.js'
import { type ReferrerKind, referrerKind } from './referrer-kind.js'
import { attachmentsOf, type AttachmentWriter } from './store.js'

/** What is to go: at which tags, and which referrers. */
export interface CleanQuery {
  readonly repository: Repository
  /** The image's digest; whether the image is there is not asked. */
  readonly digest: string
  readonly tags: readonly TagKind[]
  readonly referrers: readonly ReferrerKind[]
}

/** Something that hung on the image, by its full name. */
export interface Cleaned {
  readonly name: string
  readonly kind: TagKind | ReferrerKind
}

/** Something that still does, and why. */
export interface Left extends Cleaned {
  readonly error: RegistryError
}

export interface CleanReport {
  readonly removed: readonly Cleaned[]
  readonly left: readonly Left[]
  /** How many referrers were not asked for and stay. */
  readonly others: number
}

/**
 * Removes it. What goes by the name of an attachment and is something else is never removed: whoever can write a tag or a list must
 * not be able to have other images deleted.
 * @throws RegistryError if it cannot be seen what there is; ImagesError IMAGES_CONTENDED, IMAGES_REFERRER
 */
export async function cleanImage(writer: AttachmentWriter, query: CleanQuery): Promise<CleanReport> {
  const repository = attachmentsOf(writer, query.repository)
  const tagged: Outcome[] = []
  for (const kind of query.tags) {
    const outcome = await removeTagged(writer, repository, { kind, digest: query.digest })
    if (outcome !== undefined) tagged.push(outcome)
  }
  const { outcomes, others } = await removeReferrers(writer, repository, query)
  const all = [...tagged, ...outcomes]
  return {
    removed: all.flatMap(({ error, ...cleaned }) => (error === undefined ? [cleaned] : [])),
    left: all.flatMap(({ error, ...cleaned }) => (error === undefined ? [] : [{ ...cleaned, error }])),
    others,
  }
}

interface Outcome extends Cleaned {
  readonly error?: RegistryError
}

async function removeTagged(
  writer: AttachmentWriter,
  repository: Repository,
  { kind, digest }: { readonly kind: TagKind; readonly digest: string },
): Promise<Outcome | undefined> {
  const tag = attachmentTag(digest, kind, writer.tagPrefix)
  const there = await orUndefined(writer.content.manifest(repository, tag))
  if (there === undefined) return undefined
  const name = `${repositoryName(repository)}:${tag}`
  if (!holdsAttachments(there)) return { name, kind, error: foreign(name) }
  return await attempt({ name, kind }, async () => {
    await removeTag(writer, repository, { tag, digest: there.digest })
  })
}

/** Layers of images are unpacked; what is attached to one never is. */
const IMAGE_LAYER = /^application\/vnd\.(?:oci\.image\.layer|docker\.image\.rootfs)\./

function holdsAttachments({ bytes, mediaType }: FetchedManifest): boolean {
  const manifest = readable(bytes, mediaType)
  return manifest?.kind === 'image' && !manifest.layers.some((layer) => IMAGE_LAYER.test(layer.mediaType))
}

/**
 * By the tag, which leaves other tags alone. The reference registry deletes nothing by tag (status 400), others do not say that they
 * did not (404); then by digest.
 */
async function removeTag(
  { content }: AttachmentWriter,
  repository: Repository,
  { tag, digest }: { readonly tag: string; readonly digest: string },
): Promise<void> {
  try {
    await content.deleteManifest(repository, tag)
    const still = await orUndefined(content.resolve(repository, tag))
    if (still?.digest !== digest) return
  } catch (error) {
    if (!(error instanceof RegistryError) || !NOT_BY_TAG.has(error.code)) throw error
  }
  await content.deleteManifest(repository, digest)
}

const NOT_BY_TAG: ReadonlySet<string> = new Set(['REGISTRY_UNSUPPORTED', 'REGISTRY_REFUSED'])

/** Requests at once. */
const AT_ONCE = 8

async function removeReferrers(
  writer: AttachmentWriter,
  repository: Repository,
  { digest: subject, referrers }: CleanQuery,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly others: number }> {
  if (referrers.length === 0) return { outcomes: [], others: 0 }
  const { descriptors, source } = await writer.content.referrers(repository, subject)
  const found = await inParallel(descriptors, AT_ONCE, async ({ digest }) => {
    const fetched = await orUndefined(writer.content.manifest(repository, digest))
    if (fetched === undefined) return { digest, kind: 'gone' as const }
    const manifest = readable(fetched.bytes, fetched.mediaType)
    // A list can name anything, the image itself included.
    if (manifest?.subject?.digest !== subject) return { digest, kind: 'foreign' as const }
    return { digest, kind: await referrerKind(writer, repository, manifest) }
  })
  const outcomes: (Outcome & { readonly digest: string })[] = []
  for (const { digest, kind } of found) {
    if (kind === 'gone' || kind === 'foreign' || !referrers.includes(kind)) continue
    const name = `${repositoryName(repository)}@${digest}`
    const outcome = await attempt({ name, kind }, async () => {
      await writer.content.deleteManifest(repository, digest)
    })
    outcomes.push({ digest, ...outcome })
  }
  const removed = outcomes.filter(({ error }) => error === undefined).map(({ digest }) => digest)
  const gone = found.filter(({ kind }) => kind === 'gone').map(({ digest }) => digest)
  if (source === 'tag') await mendList(writer, repository, { subject, gone: new Set([...removed, ...gone]) })
  return {
    outcomes: outcomes.map(({ name, kind, error }) => (error === undefined ? { name, kind } : { name, kind, error })),
    others: found.length - gone.length - outcomes.length,
  }
}

/** Takes what is gone out of the list that is kept for registries without one, and the list away when it is empty. */
async function mendList(
  writer: AttachmentWriter,
  repository: Repository,
  { subject, gone }: { readonly subject: string; readonly gone: ReadonlySet<string> },
): Promise<void> {
  if (gone.size === 0) return
  const { content } = writer
  await updateFallbackIndex(writer, { repository, subject, remove: gone })
  const tag = referrersTag(subject)
  const list = await orUndefined(content.manifest(repository, tag))
  if (list === undefined || list.digest === subject) return
  const manifest = readable(list.bytes, list.mediaType)
  if (manifest?.kind !== 'index' || manifest.manifests.length > 0) return
  // By digest: whoever has added something in the meantime has made another list. An empty list means the same as none.
  await attempt({ name: tag, kind: 'other' }, async () => {
    await content.deleteManifest(repository, list.digest)
  })
}

async function attempt(cleaned: Cleaned, work: () => Promise<void>): Promise<Outcome> {
  try {
    await work()
    return cleaned
  } catch (error) {
    if (error instanceof RegistryError) return { ...cleaned, error }
    throw error
  }
}

function readable(bytes: Uint8Array, mediaType: string): Manifest | undefined {
  try {
    return parseManifest(bytes, mediaType)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function foreign(name: string): RegistryError {
  return new RegistryError('REGISTRY_CONFLICT', `${name} is no attachment, and is left alone`, {
    expected: 'an image without layers that are unpacked',
    hint: 'Look at what the tag points at; delete it with the tools of the registry if it is not wanted.',
  })
}
