/** Registries asked in place of others: a mirror has the same content under the same names, and digests say so. @module */
import type { Repository } from '#formats/oci/reference'
import type { ContentReader } from './registry.js'

/** A reader that asks the mirror of a registry, if it has one, for what the registry should have. */
export function mirroredReader(content: ContentReader, mirrors: ReadonlyMap<string, string>): ContentReader {
  if (mirrors.size === 0) return content
  const at = ({ registry, repository }: Repository): Repository => ({
    registry: mirrors.get(registry) ?? registry,
    repository,
  })
  return {
    resolve: (repository, name) => content.resolve(at(repository), name),
    manifest: (repository, name) => content.manifest(at(repository), name),
    blob: (repository, descriptor, limit) => content.blob(at(repository), descriptor, limit),
    openBlob: (repository, descriptor) => content.openBlob(at(repository), descriptor),
    referrers: (repository, digest, artifactType) => content.referrers(at(repository), digest, artifactType),
  }
}
