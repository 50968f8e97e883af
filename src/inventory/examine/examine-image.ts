/** One image: its platforms, what is attached to each and to the index, and what is not known. @module */
import { isCodedError } from '#errors'
import { repositoryName } from '#formats/oci/reference'
import { isVexPredicateType } from '#formats/openvex/document'
import type { ResolvedSighting, UnresolvedSighting } from '../collect/resolve.js'
import type { InventoryImage, PlatformImage, SbomSummary, Unknown } from '../model.js'
import { examineSubject, type ExaminedSubject, type ExaminePorts } from './attestations.js'
import { platformsOf, type Platforms } from './platforms.js'

export interface ExamineOptions extends ExaminePorts {
  /** Platforms that count where it is not known on which an image runs; empty means all. */
  readonly platforms: readonly string[]
}

/** Looks at an image. Whatever keeps it from being known is a reason in the answer, not an error. */
export async function examineImage(options: ExamineOptions, image: ResolvedSighting): Promise<InventoryImage> {
  const { names, digest, basis, workloads } = image
  const repositories = image.repositories.map(repositoryName)
  const common = { names, repositories, digest, basis, workloads }
  try {
    const platforms = await platformsOf(options.images.content, {
      ...image,
      wanted: image.platforms ?? (options.platforms.length === 0 ? undefined : options.platforms),
    })
    if (platforms.images.length === 0) {
      const unknown: Unknown = {
        reason: 'PLATFORM_MISSING',
        detail: 'the index has no image for a platform that counts',
      }
      return { ...common, index: platforms.index, platforms: [], unknown }
    }
    return {
      ...common,
      index: platforms.index,
      platforms: await examinePlatforms(options, image, platforms),
      unknown: undefined,
    }
  } catch (error) {
    if (!isCodedError(error) || error.code === 'HTTP_ABORTED') throw error
    const unknown: Unknown = { reason: 'REGISTRY_FAILED', detail: error.message }
    return { ...common, index: undefined, platforms: [], unknown }
  }
}

/** An image whose name could not be resolved. */
export function unresolvedImage({ name, workloads, detail }: UnresolvedSighting): InventoryImage {
  return {
    names: [name],
    repositories: [],
    digest: undefined,
    basis: undefined,
    index: undefined,
    workloads,
    platforms: [],
    unknown: { reason: 'IMAGE_UNRESOLVED', detail },
  }
}

async function examinePlatforms(
  options: ExamineOptions,
  { repositories }: ResolvedSighting,
  { index, images }: Platforms,
): Promise<readonly PlatformImage[]> {
  const onIndex =
    index === undefined
      ? undefined
      : await examineSubject(options, { repositories, digest: index, attachedTo: 'index' })
  const found: PlatformImage[] = []
  for (const { digest, platform } of images) {
    const own = await examineSubject(options, { repositories, digest, attachedTo: 'image' })
    const subjects = onIndex === undefined ? [own] : [own, onIndex]
    found.push({
      digest,
      platform,
      sboms: subjects.flatMap(({ sboms }) => sboms),
      vex: subjects.flatMap(({ vex }) => vex),
      ignored: subjects.flatMap(({ ignored }) => ignored),
      unknown: unknownOf(subjects),
    })
  }
  return found
}

/** Why "not found" would be a guess. A gap counts whatever else there is: what was not seen may list anything. */
function unknownOf(subjects: readonly ExaminedSubject[]): Unknown | undefined {
  const [gap] = subjects.flatMap((subject) => subject.gap ?? [])
  if (gap !== undefined) return gap
  const sboms = subjects.flatMap((subject) => subject.sboms)
  if (sboms.length > 0) return unknownOfSboms(sboms)
  const [ignored] = subjects
    .flatMap((subject) => subject.ignored)
    .filter(({ predicateType }) => !isVexPredicateType(predicateType))
  if (ignored !== undefined) return { reason: 'SBOM_UNTRUSTED', detail: ignored.message }
  const others = [...new Set(subjects.flatMap((subject) => subject.others))]
  const detail =
    others.length === 0 ? 'no attestation is attached' : `attested is only ${others.join(', ').slice(0, 300)}`
  return { reason: 'SBOM_MISSING', detail }
}

/** One bill that lists something and does not say that it leaves something out is enough. */
function unknownOfSboms(sboms: readonly SbomSummary[]): Unknown | undefined {
  const listing = sboms.filter(({ contained }) => contained > 0)
  if (listing.length === 0) return { reason: 'SBOM_EMPTY', detail: 'the bill of materials lists nothing' }
  if (listing.every(({ completeness }) => completeness === 'incomplete'))
    return { reason: 'SBOM_INCOMPLETE', detail: 'the bill of materials says that it leaves something out' }
  return undefined
}
