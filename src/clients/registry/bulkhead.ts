/** A registry that hangs keeps only so many waiting for it: requests about other registries' images go on. @module */
import { isCodedError } from '#errors'
import type { Repository } from '#formats/oci/reference'
import type { ContentReader } from './registry.js'
import { RegistryError } from './registry-error.js'

/** Told of what was asked of a registry, and how it went: `ok`, or the code of the error. */
export type OnAsked = (registry: string, what: string, outcome: string) => void

export interface BulkheadOptions {
  /** Questions at once to one registry. */
  readonly perRegistry: number
  readonly onAsked?: OnAsked
}

/** A pod of forty images, each with a dozen attachments, fits; a registry that has not answered so many is not well. */
export const PER_REGISTRY = 1024

/** Counts over all readers that go through it: however many logins there are, a registry is one registry. */
export type Bulkhead = (content: ContentReader) => ContentReader

/** Readers that refuse to wait for more than so much of one registry. @throws RegistryError `REGISTRY_BUSY` */
export function createBulkhead({ perRegistry, onAsked }: BulkheadOptions): Bulkhead {
  const waiting = new Map<string, number>()
  const asking = async <T>({ registry }: Repository, what: string, ask: () => Promise<T>): Promise<T> => {
    const count = waiting.get(registry) ?? 0
    if (count >= perRegistry) {
      onAsked?.(registry, what, 'REGISTRY_BUSY')
      throw busy(registry, perRegistry)
    }
    waiting.set(registry, count + 1)
    try {
      const answer = await ask()
      onAsked?.(registry, what, 'ok')
      return answer
    } catch (error) {
      onAsked?.(registry, what, isCodedError(error) ? error.code : 'unknown')
      throw error
    } finally {
      const left = (waiting.get(registry) ?? 1) - 1
      if (left === 0) waiting.delete(registry)
      else waiting.set(registry, left)
    }
  }
  return (content) => ({
    resolve: (repository, name) => asking(repository, 'resolve', () => content.resolve(repository, name)),
    manifest: (repository, name) => asking(repository, 'manifest', () => content.manifest(repository, name)),
    blob: (repository, descriptor, limit) =>
      asking(repository, 'blob', () => content.blob(repository, descriptor, limit)),
    openBlob: (repository, descriptor) => content.openBlob(repository, descriptor),
    referrers: (repository, digest, artifactType) =>
      asking(repository, 'referrers', () => content.referrers(repository, digest, artifactType)),
  })
}

function busy(registry: string, limit: number): RegistryError {
  return new RegistryError('REGISTRY_BUSY', `too much is being asked of ${registry} already; try again`, {
    expected: `at most ${String(limit)} questions at once`,
    hint: 'look at whether the registry answers',
  })
}
