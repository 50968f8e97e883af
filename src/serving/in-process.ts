/** Calls a service without a socket: the same bytes as in production, in one process. @module */
import type { Fetch, FetchInit } from '#clients/http/fetch'
import type { Handler } from './handler.js'
import { streamOf } from './responses.js'

/** A fetch that hands every request to a handler, whatever the host in its URL. */
export function fetchInProcess(handler: Handler): Fetch {
  return async (url, init = {}) => {
    const request = new Request(url, requestInit(init))
    return handler(request)
  }
}

function requestInit(init: FetchInit): RequestInit {
  const { method, headers, body, signal } = init
  const streaming = body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
  return {
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers }),
    ...(signal !== undefined && { signal }),
    ...(body !== undefined && { body: streaming ? streamOf(body) : body }),
    ...(streaming && { duplex: 'half' as const }),
  }
}
