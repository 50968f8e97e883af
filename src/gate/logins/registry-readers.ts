/** Registry clients, one for each set of logins: tokens and connections outlive a review, and never leave their owner. @module */
import type { Fetch } from '#clients/http/fetch'
import { RecentMap } from '#clients/recent-map'
import type { Bulkhead } from '#clients/registry/bulkhead'
import { createRegistryClient } from '#clients/registry/client'
import { mirroredReader } from '#clients/registry/mirrored'
import type { ContentReader } from '#clients/registry/registry'
import { sharedReader } from '#clients/registry/shared-reader'
import type { Clock } from '#time'
import type { ReviewLogins } from './review-logins.js'

export interface RegistryReaderOptions {
  readonly fetch: Fetch
  /** For rules that put up with certificates that nobody vouches for. */
  readonly insecureFetch: Fetch
  readonly clock: Clock
  readonly bulkhead: Bulkhead
  /** Registry → which to ask in its place. */
  readonly mirrors: ReadonlyMap<string, string>
  /** Plain HTTP is put up with, by everybody. */
  readonly allowHttp: boolean
}

/** More tenants with logins of their own than this share clients less well, and nothing else. */
const MAX_READERS = 256

export class RegistryReaders {
  readonly #options: RegistryReaderOptions
  readonly #readers = new RecentMap<string, ContentReader>(MAX_READERS)

  constructor(options: RegistryReaderOptions) {
    this.#options = options
  }

  readerFor(logins: ReviewLogins, insecure = false): ContentReader {
    const key = `${insecure ? 'insecure ' : ''}${logins.id}`
    const reader = this.#readers.get(key) ?? this.#create(logins, insecure)
    this.#readers.set(key, reader)
    return reader
  }

  #create({ keychain }: ReviewLogins, insecure: boolean): ContentReader {
    const { fetch, insecureFetch, clock, bulkhead, mirrors, allowHttp } = this.#options
    const client = createRegistryClient({
      fetch: insecure ? insecureFetch : fetch,
      clock,
      keychain,
      allowHttp: allowHttp || insecure,
    })
    return sharedReader(mirroredReader(bulkhead(client), mirrors))
  }
}

/** A reader that is only known once somebody asks it something. */
export function lazyReader(open: () => Promise<ContentReader>): ContentReader {
  let opened: Promise<ContentReader> | undefined
  const reader = (): Promise<ContentReader> => (opened ??= open())
  return {
    resolve: async (...asked) => (await reader()).resolve(...asked),
    manifest: async (...asked) => (await reader()).manifest(...asked),
    blob: async (...asked) => (await reader()).blob(...asked),
    async *openBlob(...asked) {
      yield* (await reader()).openBlob(...asked)
    },
    referrers: async (...asked) => (await reader()).referrers(...asked),
  }
}
