/** From names to images by digest: what runs as it runs, tags as they are now. @module */
import type { ContentReader } from '#clients/registry/registry'
import { isCodedError } from '#errors'
import {
  parseReference,
  parseRepository,
  repositoryName,
  type Reference,
  type Repository,
} from '#formats/oci/reference'
import { resolveImage } from '#images/resolve'
import { inParallel } from '#images/parallel'
import type { DigestBasis, Workload } from '../model.js'
import { AT_ONCE } from '../at-once.js'
import type { Sighting } from './sighting.js'

/** An image to be looked at. */
export interface ResolvedSighting {
  readonly names: readonly string[]
  /** Where what is attached to it may be: the repository that it is named by first. */
  readonly repositories: readonly Repository[]
  readonly digest: string
  readonly basis: DigestBasis
  readonly workloads: readonly Workload[]
  /** Those it runs on; undefined if that is not known of every place. */
  readonly platforms: readonly string[] | undefined
  /** What names it: the index that it came from may be behind one of them. */
  readonly references: readonly Reference[]
}

/** An image that could not be resolved. */
export interface UnresolvedSighting {
  readonly name: string
  readonly workloads: readonly Workload[]
  readonly detail: string
}

export interface Resolution {
  readonly images: readonly ResolvedSighting[]
  readonly unresolved: readonly UnresolvedSighting[]
}

/** Resolves each name once, and puts together what is one image. */
export async function resolveSightings(content: ContentReader, sightings: readonly Sighting[]): Promise<Resolution> {
  const tags = new Map<string, Promise<Outcome>>()
  const placed = await inParallel(sightings, AT_ONCE, async (sighting) => ({
    sighting,
    outcome: await placeOf(sighting, (reference, name) => {
      const pending = tags.get(name) ?? resolveTag(content, reference)
      tags.set(name, pending)
      return pending
    }),
  }))
  const images = new Map<string, ResolvedSighting>()
  const unresolved = new Map<string, UnresolvedSighting>()
  for (const { sighting, outcome } of placed) {
    const workloads = sighting.workload === undefined ? [] : [sighting.workload]
    if ('detail' in outcome) {
      const before = unresolved.get(sighting.name)
      unresolved.set(sighting.name, {
        name: sighting.name,
        workloads: [...(before?.workloads ?? []), ...workloads],
        detail: outcome.detail,
      })
    } else {
      images.set(outcome.digest, merge(images.get(outcome.digest), { sighting, placed: outcome, workloads }))
    }
  }
  return { images: [...images.values()], unresolved: [...unresolved.values()] }
}

interface Placed {
  readonly digest: string
  readonly basis: DigestBasis
  readonly repositories: readonly Repository[]
  readonly reference: Reference | undefined
}

type Outcome = { readonly digest: string } | { readonly detail: string }

async function placeOf(
  { name, running }: Sighting,
  resolve: (reference: Reference, name: string) => Promise<Outcome>,
): Promise<Placed | { readonly detail: string }> {
  const reference = referenceOf(name)
  if (running !== undefined) {
    // A runtime calls an image by the first name that it pulled the content by; the workload's own name comes first here.
    const repositories = [
      ...('detail' in reference ? [] : [repositoryOf(reference)]),
      ...repositoryIfAny(running.repository),
    ]
    if (repositories.length === 0) return { detail: `${running.repository} is not a repository` }
    return { ...running, basis: 'running', repositories, reference: 'detail' in reference ? undefined : reference }
  }
  if ('detail' in reference) return reference
  const place = { repositories: [repositoryOf(reference)], reference }
  if (reference.kind === 'digest') return { digest: reference.digest, basis: 'pinned', ...place }
  const outcome = await resolve(reference, `${repositoryName(reference)}:${reference.tag}`)
  return 'detail' in outcome ? outcome : { digest: outcome.digest, basis: 'resolved', ...place }
}

function referenceOf(name: string): Reference | { readonly detail: string } {
  try {
    return parseReference(name)
  } catch (error) {
    if (isCodedError(error)) return { detail: error.message }
    throw error
  }
}

function repositoryIfAny(name: string): readonly Repository[] {
  try {
    return [parseRepository(name)]
  } catch (error) {
    if (isCodedError(error)) return []
    throw error
  }
}

function repositoryOf({ registry, repository }: Reference): Repository {
  return { registry, repository }
}

async function resolveTag(content: ContentReader, reference: Reference): Promise<Outcome> {
  try {
    const { descriptor } = await resolveImage(content, reference)
    return { digest: descriptor.digest }
  } catch (error) {
    if (isCodedError(error) && error.code !== 'HTTP_ABORTED') return { detail: error.message }
    throw error
  }
}

const SURENESS: Readonly<Record<DigestBasis, number>> = { running: 2, pinned: 1, resolved: 0 }

function merge(
  before: ResolvedSighting | undefined,
  {
    sighting,
    placed,
    workloads,
  }: { readonly sighting: Sighting; readonly placed: Placed; readonly workloads: readonly Workload[] },
): ResolvedSighting {
  const { basis, digest, repositories, reference } = placed
  const { platform, name } = sighting
  const platforms = platform === undefined ? undefined : [platform]
  const references = reference === undefined ? [] : [reference]
  if (before === undefined)
    return { names: [name], repositories: distinct(repositories), digest, basis, workloads, platforms, references }
  return {
    names: [...new Set([...before.names, name])],
    repositories: distinct([...before.repositories, ...repositories]),
    digest,
    basis: SURENESS[basis] > SURENESS[before.basis] ? basis : before.basis,
    workloads: [...before.workloads, ...workloads],
    platforms:
      before.platforms === undefined || platforms === undefined
        ? undefined
        : [...new Set([...before.platforms, ...platforms])],
    references: [...before.references, ...references],
  }
}

function distinct(repositories: readonly Repository[]): readonly Repository[] {
  return [...new Map(repositories.map((each) => [repositoryName(each), each] as const)).values()]
}
