/** What Kyverno calls an image. @module */
import type { Reference } from '#formats/oci/reference'

const HUB = 'index.docker.io'
const HUB_NAMES = ['docker.io', HUB] as const

/** Kyverno's reading of a name: Docker Hub's default registry is `docker.io`, and nothing is put before a bare name. */
export interface ImageInfo {
  readonly registry: string
  readonly path: string
  readonly name: string
  /** Empty beside a digest that no tag stands before. */
  readonly tag: string
  readonly digest: string
  /** With the digest if there is one, and else with the tag. */
  readonly reference: string
  readonly referenceWithTag: string
}

export function imageInfo({ text, reference }: { readonly text: string; readonly reference: Reference }): ImageInfo {
  const { registry, path } = homeOf(text, reference)
  const tag = reference.tag ?? ''
  const digest = reference.kind === 'digest' ? reference.digest : ''
  const base = `${registry}/${path}`
  return {
    registry,
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    tag,
    digest,
    reference: digest === '' ? `${base}:${tag}` : `${base}@${digest}`,
    referenceWithTag: `${base}:${tag}`,
  }
}

function homeOf(text: string, { registry, repository }: Reference): Pick<ImageInfo, 'registry' | 'path'> {
  if (registry !== HUB) return { registry, path: repository }
  const named = HUB_NAMES.find((name) => text.startsWith(`${name}/`))
  const rest = named === undefined ? text : text.slice(named.length + 1)
  // `library/` is there only if somebody wrote it.
  const bare = repository.startsWith('library/') && !rest.startsWith('library/')
  return { registry: named ?? 'docker.io', path: bare ? repository.slice('library/'.length) : repository }
}
