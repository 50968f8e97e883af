/** The TUF repository as a service: static files, renewed before they get old. @module */
import type { Route } from '#serving/routes'
import { route } from '#serving/routes'
import { bytes as bytesResponse, text } from '#serving/responses'
import type { TufRepository } from './repository.js'

/** Where the repository is, and what to do about a failed renewal. */
export interface TufRepoOptions {
  /** Path below which the repository is served, such as `/tuf`. */
  readonly prefix: string
  readonly repository: TufRepository
  /** Told when metadata could not be renewed; what is there is served on, as long as clients take it. */
  readonly onRenewalFailure?: ((error: unknown) => void) | undefined
}

/** Only names that a repository has: nothing hidden, no way up. */
const NAME = /^(?:[A-Za-z0-9_][A-Za-z0-9_.@+-]*\/)*[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/

const IMMUTABLE = 'public, max-age=31536000, immutable'

/** Routes of the repository. */
export function tufRepoRoutes({ prefix, repository, onRenewalFailure }: TufRepoOptions): readonly Route[] {
  return [
    route('GET', `${prefix}/{path+}`, async (_request, { path }) => {
      if (!NAME.test(path) || path.endsWith('.tmp')) return notFound()
      if (path === 'timestamp.json') await repository.renew().catch((error: unknown) => onRenewalFailure?.(error))
      const bytes = await repository.read(path)
      if (bytes === undefined) return notFound()
      const type = path.endsWith('.json') ? 'application/json' : 'application/octet-stream'
      return bytesResponse(200, bytes, type, { 'cache-control': isVersioned(path) ? IMMUTABLE : 'no-cache' })
    }),
  ]
}

/** A versioned or hashed name never gets another content. */
function isVersioned(path: string): boolean {
  return /^(?:\d+\.[^/]+\.json|targets\/.*)$/.test(path)
}

function notFound(): Response {
  return text(404, 'no such file in the TUF repository\n')
}
