/** A registry that is asked the same thing once, however many ask at the same moment. @module */
import type { Repository } from '#formats/oci/reference'
import type { ContentReader } from './registry.js'

/**
 * Only what is under way is shared, never what is past: a tag may be moved the moment after. Whoever shares a reader has the same
 * logins.
 */
export function sharedReader(content: ContentReader): ContentReader {
  const resolving = shared((repository: Repository, name: string) => content.resolve(repository, name))
  const manifests = shared((repository: Repository, name: string) => content.manifest(repository, name))
  const referrers = shared((repository: Repository, digest: string) => content.referrers(repository, digest))
  return {
    ...content,
    resolve: resolving,
    manifest: manifests,
    referrers: (repository, digest, artifactType) =>
      artifactType === undefined ? referrers(repository, digest) : content.referrers(repository, digest, artifactType),
  }
}

function shared<T>(
  ask: (repository: Repository, name: string) => Promise<T>,
): (repository: Repository, name: string) => Promise<T> {
  const underWay = new Map<string, Promise<T>>()
  return (repository, name) => {
    const key = `${repository.registry}/${repository.repository} ${name}`
    const known = underWay.get(key)
    if (known !== undefined) return known
    const pending = ask(repository, name).finally(() => underWay.delete(key))
    underWay.set(key, pending)
    return pending
  }
}
