/** The images that an image is: those of its platforms, or itself. @module */
import { isCodedError, type CodedError } from '#errors'
import type { ContentReader } from '#clients/registry/registry'
import type { Descriptor } from '#formats/oci/descriptor'
import { parseManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import type { Reference, Repository } from '#formats/oci/reference'
import { expandImage } from '#images/resolve'

export interface Platforms {
  /** The index that the images are in. */
  readonly index: string | undefined
  readonly images: readonly { readonly digest: string; readonly platform: string | undefined }[]
}

export interface PlatformQuery {
  readonly repositories: readonly Repository[]
  readonly digest: string
  /** What names the image, behind which its index may be. */
  readonly references: readonly Reference[]
  /** Those that count, as `os/architecture[/variant]`; undefined means all. */
  readonly wanted: readonly string[] | undefined
}

/**
 * Takes an index apart; of an image alone, looks for the index that it came from, since what is attached to that speaks
 * about it, too.
 * @throws RegistryError, HttpError if the manifest is in none of the repositories
 */
export async function platformsOf(content: ContentReader, query: PlatformQuery): Promise<Platforms> {
  const { repository, descriptor } = await findManifest(content, query)
  if (isIndex(descriptor)) {
    const children = await leavesOf(content, repository, descriptor)
    return { index: descriptor.digest, images: children.filter((child) => isWanted(child, query.wanted)).map(describe) }
  }
  const parent = await findIndex(content, query)
  if (parent === undefined) return { index: undefined, images: [{ digest: query.digest, platform: undefined }] }
  return { index: parent.index, images: [describe(parent.child)] }
}

interface Found {
  readonly repository: Repository
  readonly descriptor: Descriptor
}

async function findManifest(content: ContentReader, { repositories, digest }: PlatformQuery): Promise<Found> {
  let refusal: CodedError | undefined
  for (const repository of repositories) {
    try {
      const { bytes, mediaType } = await content.manifest(repository, digest)
      const manifest = parseManifest(bytes, mediaType)
      return { repository, descriptor: { mediaType: manifest.mediaType, digest, size: bytes.length } }
    } catch (error) {
      if (!isCodedError(error) || error.code === 'HTTP_ABORTED') throw error
      refusal ??= error
    }
  }
  throw refusal ?? new Error('an image without a repository')
}

/**
 * What is in an index to be run. BuildKit lists its attestations as images of an unknown platform, which no runtime takes;
 * its annotation alone says nothing, since a runtime would take an image that has it.
 */
async function leavesOf(
  content: ContentReader,
  repository: Repository,
  descriptor: Descriptor,
): Promise<readonly Descriptor[]> {
  const all = await expandImage(content, { repository, descriptor })
  return all
    .map((image) => image.descriptor)
    .filter((each) => !isIndex(each))
    .filter(({ platform }) => platform?.os !== 'unknown')
}

interface Parent {
  readonly index: string
  readonly child: Descriptor
}

/** A tag, or a digest in the workload, may stand for the index that the runtime took the image out of. */
async function findIndex(content: ContentReader, { references, digest }: PlatformQuery): Promise<Parent | undefined> {
  for (const reference of references) {
    const { registry, repository } = reference
    const name = reference.kind === 'tag' ? reference.tag : reference.digest
    if (name === digest) continue
    try {
      const manifest = await content.manifest({ registry, repository }, name)
      const parsed = parseManifest(manifest.bytes, manifest.mediaType)
      const child = parsed.kind === 'index' ? parsed.manifests.find((each) => each.digest === digest) : undefined
      if (child !== undefined) return { index: manifest.digest, child }
    } catch (error) {
      // The tag may be gone: then what hangs on the index is not found, and the image stays what it is.
      if (!isCodedError(error) || error.code === 'HTTP_ABORTED') throw error
    }
  }
  return undefined
}

function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === MEDIA_TYPES.ociIndex || mediaType === MEDIA_TYPES.dockerManifestList
}

function describe({ digest, platform }: Descriptor): Platforms['images'][number] {
  return { digest, platform: platform === undefined ? undefined : platformName(platform) }
}

function platformName({ os, architecture, variant }: NonNullable<Descriptor['platform']>): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/')
}

/** `linux/arm64` is every variant of it. What does not say what it runs on may run. */
function isWanted({ platform }: Descriptor, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined || platform === undefined) return true
  const name = platformName(platform)
  return wanted.some((each) => name === each || name.startsWith(`${each}/`))
}
