/** One line of JSON a request, without anything that could be a secret. @module */
import { formatRfc3339 } from '#time'
import type { Clock } from '#time'
import type { Handler, Middleware } from './handler.js'
import type { Metrics } from './metrics.js'
import { isCodedError } from '#errors'
import { requestId } from './request-id.js'
import { json } from './responses.js'
import { matchedRoute, pathOf } from './routes.js'

/** Takes one line without its line end. */
export type LogSink = (line: string) => void

export interface ObserverOptions {
  readonly clock: Clock
  /** Milliseconds from any fixed point, never going back (performance.now). */
  readonly elapsed: () => number
  /** Absent: no access log. */
  readonly log?: LogSink | undefined
  /** Where faults of the server go (always one line of JSON). */
  readonly errorLog: LogSink
  readonly metrics: Metrics
}

/**
 * The outermost layer: measures and logs every request, and turns an error that nobody answered into a bare 500.
 * Queries and headers are never logged: they hold codes, tokens and e-mail addresses.
 */
export function observed(options: ObserverOptions): Middleware {
  const requests = options.metrics.counter('http_requests_total', 'Requests answered.')
  const latency = options.metrics.histogram('http_request_duration_seconds', 'Time from request head to response head.')
  return (next: Handler) => async (request) => {
    const start = options.elapsed()
    const response = await answerFaults(next, request, options)
    const seconds = (options.elapsed() - start) / 1000
    const route = matchedRoute(request) ?? 'none'
    requests.increment({ code: String(response.status), method: knownMethod(request.method), route })
    latency.observe(seconds, { method: knownMethod(request.method), route })
    options.log?.(
      JSON.stringify({
        time: formatRfc3339(options.clock()),
        level: 'info',
        request: requestId(request),
        method: request.method,
        path: pathOf(request.url),
        status: response.status,
        ms: Math.round(seconds * 1e6) / 1e3,
      }),
    )
    return response
  }
}

async function answerFaults(next: Handler, request: Request, options: ObserverOptions): Promise<Response> {
  try {
    return await next(request)
  } catch (error) {
    options.errorLog(faultLine(error, request, options.clock))
    return json(500, { code: 500, message: 'internal server error' })
  }
}

/** A fault as one line: code, message and the chain of causes; the stack is for us, not for the caller. */
function faultLine(error: unknown, request: Request, clock: Clock): string {
  return JSON.stringify({
    time: formatRfc3339(clock()),
    level: 'error',
    request: requestId(request),
    method: request.method,
    path: pathOf(request.url),
    ...(isCodedError(error) && { code: error.code }),
    error: describe(error),
    ...(error instanceof Error &&
      error.stack !== undefined && {
        stack: error.stack
          .split('\n')
          .slice(1, 6)
          .map((line) => line.trim()),
      }),
  })
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is not an error was thrown'
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** A caller must not be able to make up label values without end. */
function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other'
}
