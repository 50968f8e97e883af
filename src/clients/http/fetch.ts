/** The one door to the network: a small fetch that every client takes as a parameter. @module */

/** Response headers; names are case-insensitive, repeated headers are joined with `, `. */
export interface FetchHeaders {
  get(name: string): string | null
}

/** What a request body may be. An async iterable is sent as it comes and can therefore never be sent twice. */
export type FetchBody = Uint8Array | string | AsyncIterable<Uint8Array>

/** A request, in the words of the web's fetch. */
export interface FetchInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: FetchBody
  readonly signal?: AbortSignal
  /** `follow` (the default) follows up to ten redirects, `manual` returns the 3xx, `error` refuses it. */
  readonly redirect?: 'follow' | 'manual' | 'error'
  /**
   * Whether sending this request twice does no harm: the caller vouches for it although the method is not idempotent, or
   * denies it although it is. Not said, the method decides.
   */
  readonly repeatable?: boolean
}

/** A response, in the words of the web's fetch. Its body must be read or cancelled (`discardBody`). */
export interface FetchResponse {
  readonly status: number
  readonly headers: FetchHeaders
  readonly body: AsyncIterable<Uint8Array> | null
  arrayBuffer(): Promise<ArrayBuffer>
  text(): Promise<string>
  json(): Promise<unknown>
}

/**
 * A subset of the web's `fetch`, so that the global one fits where start-up time does not matter, and so that a
 * service's `(Request) => Promise<Response>` can stand in for the network in tests.
 *
 * Throws HttpError (HTTP_*) when no response could be had; a status of 400 or above is a response.
 */
export type Fetch = (url: string, init?: FetchInit) => Promise<FetchResponse>

/** Waiting, as a port: tests advance it by hand. */
export interface Timers {
  /** Calls `run` once after `milliseconds`, unless the returned function is called first. */
  after(milliseconds: number, run: () => void): () => void
}
