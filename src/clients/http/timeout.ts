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
    const host = hostOf(url)
    const watch = watchdog(host, init, timers)
    const response = await watch.guard(
      options.answerMillis + sendingMillis(init),
      'an answer',
      fetch(url, { ...init, signal: watch.signal }),
    )
    if (response.body === null) {
      watch.release()
      return response
    }
    return createResponse(response.status, response.headers, guardBody(response.body, watch, options.idleMillis))
  }
}

/** The slowest sending that is put up with: 64 bytes a millisecond; of a stream nobody knows how long it is. */
const SLOWEST = 64
const STREAM_MILLIS = 3_600_000

function sendingMillis({ body }: FetchInit): number {
  if (body === undefined) return 0
  return typeof body === 'string' || body instanceof Uint8Array ? Math.ceil(body.length / SLOWEST) : STREAM_MILLIS
}

interface Watchdog {
  readonly signal: AbortSignal
  /** Settles as `work` does, or fails once `milliseconds` have passed or the caller's signal fired. */
  guard<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T>
  release(): void
}

function watchdog(host: string, init: FetchInit, timers: Timers): Watchdog {
  const controller = new AbortController()
  const outer = init.signal
  const forward = (): void => {
    controller.abort(outer?.reason)
  }
  if (outer?.aborted === true) throw aborted(outer, host)
  outer?.addEventListener('abort', forward, { once: true })
  const release = (): void => {
    outer?.removeEventListener('abort', forward)
  }
  return {
    signal: controller.signal,
    release,
    async guard<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
      let cancel = (): void => undefined
      let onAbort = (): void => undefined
      const silence = new Promise<never>((_resolve, reject) => {
        onAbort = () => {
          reject(aborted(outer, host))
        }
        outer?.addEventListener('abort', onAbort, { once: true })
        cancel = timers.after(milliseconds, () => {
          const error = timedOut(host, milliseconds, what)
          reject(error)
          controller.abort(error)
        })
      })
      try {
        return await Promise.race([work, silence])
      } catch (error) {
        release()
        throw error
      } finally {
        cancel()
        outer?.removeEventListener('abort', onAbort)
      }
    },
  }
}

async function* guardBody(
  body: AsyncIterable<Uint8Array>,
  watch: Watchdog,
  idleMillis: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = body[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const step = await watch.guard(idleMillis, 'the rest of its answer', iterator.next())
      if (step.done === true) {
        ended = true
        return
      }
      yield step.value
    }
  } catch (error) {
    ended = true // the stream is already dead; returning it could wait for ever
    throw error
  } finally {
    watch.release()
    if (!ended) await iterator.return?.()
  }
}

function timedOut(host: string, milliseconds: number, what: string): HttpError {
  return new HttpError('HTTP_TIMEOUT', `${host} did not send ${what} in time`, {
    expected: `${what} within ${String(milliseconds / 1000)} s`,
    hint: 'Check that the host is up and reachable from here (a firewall that drops packets looks like this).',
  })
}
