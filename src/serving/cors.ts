/** Cross-origin access for APIs that carry no cookies: any origin may read. @module */
import type { Handler, Middleware } from './handler.js'
import { empty } from './responses.js'

/** What browsers are told. There are no credentials to protect on these paths, so the origin is always `*`. */
export interface CorsOptions {
  readonly methods: readonly string[]
  readonly requestHeaders?: readonly string[]
  readonly exposedHeaders?: readonly string[]
  /** Only requests to which this says yes are opened; absent: all. */
  readonly appliesTo?: (request: Request) => boolean
}

const PREFLIGHT_SECONDS = '3600'

/** Opens a handler to scripts of any origin. Never wrap something that reads cookies. */
export function cors(options: CorsOptions): Middleware {
  return (next: Handler) => async (request) => {
    if (options.appliesTo?.(request) === false) return next(request)
    if (request.method === 'OPTIONS' && request.headers.has('access-control-request-method')) return preflight(options)
    const response = await next(request)
    response.headers.set('access-control-allow-origin', '*')
    const exposed = options.exposedHeaders
    if (exposed !== undefined) response.headers.set('access-control-expose-headers', exposed.join(', '))
    return response
  }
}

function preflight(options: CorsOptions): Response {
  return empty(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': options.methods.join(', '),
    'access-control-allow-headers': (options.requestHeaders ?? ['content-type', 'authorization']).join(', '),
    'access-control-max-age': PREFLIGHT_SECONDS,
  })
}
