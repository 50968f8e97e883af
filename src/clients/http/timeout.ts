/** Hosts that never answer: bounds on the wait for an answer and on silence inside it. @module */
import type { Fetch, FetchInit, Timers } from './fetch.js'
import { HttpError } from './http-error.js'
import { createResponse } from './response.js'
import { hostOf } from './service.js'
import { aborted } from './timers.js'

/** How long silence may last, in milliseconds. */
export interface TimeoutOptions {
  /** From sending the request to the first line of the answer. */
  readonly answerMillis: number
  /** Between two pieces of a body. */
  readonly idleMillis: number
}

/** Rekor v2 answers only after its next checkpoint, by default 10 s (rekor-tiles CLIENTS.md asks for 20 s at least). */
export const DEFAULT_TIMEOUTS: TimeoutOptions = { answerMillis: 60_000, idleMillis: 30_000 }

/**
 * Aborts requests whose host falls silent.
 * @throws {@link HttpError} HTTP_TIMEOUT, also while the body is read; HTTP_ABORTED if the caller's own signal fires.
 */
export function withTimeouts(fetch: Fetch, options: TimeoutOptions, timers: Timers): Fetch {
  return async (url, init = {}) => {
    const { signal, ...rest } = init
    const watch = new Watchdog(hostOf(url), signal, timers)
    const answer = fetch(url, { signal: watch.signal, ...rest })
    const response = await watch.guard(answer, options.answerMillis + sendingMillis(init), 'an answer')
    if (response.body === null) {
      watch.release()
      return response
    }
    return createResponse(response.status, response.headers, new GuardedBody(response.body, watch, options.idleMillis))
  }
}

/** The slowest sending that is put up with: 64 bytes a millisecond; of a stream nobody knows how long it is. */
const SLOWEST = 64
const STREAM_MILLIS = 3_600_000

function sendingMillis({ body }: FetchInit): number {
  if (body === undefined) return 0
  return typeof body === 'string' || body instanceof Uint8Array ? Math.ceil(body.length / SLOWEST) : STREAM_MILLIS
}

/** What one request waits for, a step after the other. */
class Watchdog {
  readonly #host: string
  readonly #outer: AbortSignal | undefined
  readonly #timers: Timers
  readonly #controller = new AbortController()
  /** Ends the step that is being waited for. */
  #fail: (error: Error) => void = () => undefined

  /** @throws {@link HttpError} HTTP_ABORTED if the caller's signal fired already */
  constructor(host: string, outer: AbortSignal | undefined, timers: Timers) {
    if (outer?.aborted === true) throw aborted(outer, host)
    this.#host = host
    this.#outer = outer
    this.#timers = timers
    outer?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Fires when the caller's does, or when a step took too long. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Settles as the step does, or fails once `milliseconds` have passed or the caller's signal fired. A step that fails is the last one. */
  guard<T>(step: Promise<T>, milliseconds: number, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = this.#timers.after(milliseconds, () => {
        const error = timedOut(this.#host, milliseconds, what)
        this.#fail(error)
        this.#controller.abort(error)
      })
      this.#fail = (error) => {
        cancel()
        this.release()
        reject(error)
      }
      step.then((value) => {
        cancel()
        resolve(value)
      }, this.#fail)
    })
  }

  release(): void {
    this.#outer?.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => {
    this.#fail(aborted(this.#outer, this.#host))
    this.#controller.abort(this.#outer?.reason)
  }
}

/** A body whose pieces are each waited for so long. */
class GuardedBody implements AsyncIterableIterator<Uint8Array, void, undefined> {
  readonly #pieces: AsyncIterator<Uint8Array, unknown>
  readonly #watch: Watchdog
  readonly #idleMillis: number
  #ended = false

  constructor(body: AsyncIterable<Uint8Array>, watch: Watchdog, idleMillis: number) {
    this.#pieces = body[Symbol.asyncIterator]()
    this.#watch = watch
    this.#idleMillis = idleMillis
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#ended) return END
    try {
      const step = await this.#watch.guard(this.#pieces.next(), this.#idleMillis, 'the rest of its answer')
      if (step.done !== true) return step
    } catch (error) {
      this.#ended = true // the stream is already dead; returning it could wait for ever
      throw error
    }
    this.#ended = true
    this.#watch.release()
    return END
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#ended) return END
    this.#ended = true
    this.#watch.release()
    await this.#pieces.return?.()
    return END
  }
}

const END: IteratorReturnResult<void> = { done: true, value: undefined }

function timedOut(host: string, milliseconds: number, what: string): HttpError {
  return new HttpError('HTTP_TIMEOUT', `${host} did not send ${what} in time`, {
    expected: `${what} within ${String(milliseconds / 1000)} s`,
    hint: 'Check that the host is up and reachable from here (a firewall that drops packets looks like this).',
  })
}
