/** The HTTP face of a small OCI registry (distribution specification 1.1). @module */
import type { RandomSource } from '#crypto/random'
import type { Clock } from '#time'
import { answering } from '#serving/problems'
import type { Route } from '#serving/routes'
import { blobRoutes } from './blob-routes.js'
import { ociShape, PROBLEMS } from './errors.js'
import { listRoutes } from './list-routes.js'
import { manifestRoutes } from './manifest-routes.js'
import type { RegistryStorage } from './storage.js'
import { createUploads, DEFAULT_UPLOAD_LIMITS } from './uploads.js'
import type { UploadLimits, Uploads } from './uploads.js'

export interface RegistryOptions {
  readonly storage: RegistryStorage
  readonly clock: Clock
  readonly random: RandomSource
  /** False: no referrers API, as registries before 1.1; clients must fall back to the tag scheme. Default true. */
  readonly referrersApi?: boolean
  /** Whether a manifest may be pushed before the blobs it names. Default false. */
  readonly allowMissingBlobs?: boolean
  readonly limits?: Partial<UploadLimits>
}

/** What the routes share. */
export interface RegistryContext {
  readonly storage: RegistryStorage
  readonly uploads: Uploads
  readonly referrersApi: boolean
  readonly allowMissingBlobs: boolean
}

/** All routes of a registry, below `/v2/`. */
export function registryRoutes(options: RegistryOptions): readonly Route[] {
  const limits = { ...DEFAULT_UPLOAD_LIMITS, ...options.limits }
  const context: RegistryContext = {
    storage: options.storage,
    uploads: createUploads({ storage: options.storage, clock: options.clock, random: options.random, limits }),
    referrersApi: options.referrersApi ?? true,
    allowMissingBlobs: options.allowMissingBlobs ?? false,
  }
  const answer = answering(PROBLEMS, ociShape)
  // The order matters: a path is tried against the patterns from the top.
  const routes = [...listRoutes(context), ...blobRoutes(context), ...manifestRoutes(context)]
  return routes.map((one) => ({ ...one, handle: answer(one.handle) }))
}
