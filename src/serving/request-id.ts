/** An id for every request: the caller's own if it is harmless, else a new one; echoed, and in every log line. @module */
import type { Middleware } from './handler.js'

export const REQUEST_ID_HEADER = 'x-request-id'

const ids = new WeakMap<Request, string>()

/** The id of a request that went through {@link requestIds}; '-' for one that did not. */
export function requestId(request: Request): string {
  return ids.get(request) ?? '-'
}

/** Gives every request its id. `newId` makes fresh ones, e.g. from random bytes. */
export function requestIds(newId: () => string): Middleware {
  return (next) => async (request) => {
    const offered = request.headers.get(REQUEST_ID_HEADER)
    // Only what cannot break a log line or a header is taken over.
    const id = offered !== null && /^[\w.-]{1,64}$/.test(offered) ? offered : newId()
    ids.set(request, id)
    const response = await next(request)
    response.headers.set(REQUEST_ID_HEADER, id)
    return response
  }
}
