/** Refusals as an API server writes them. @module */

const REASONS: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [409, 'Conflict'],
  [410, 'Expired'],
  [415, 'UnsupportedMediaType'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
])

export interface StatusOptions {
  readonly reason?: string
  readonly retryAfterSeconds?: number
}

export function statusBody(code: number, message: string, options: StatusOptions = {}): object {
  const { reason = REASONS.get(code) ?? 'Unknown', retryAfterSeconds } = options
  const details = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code, ...details }
}

export function statusResponse(code: number, message: string, options: StatusOptions = {}): Response {
  const { retryAfterSeconds } = options
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return Response.json(statusBody(code, message, options), { status: code, headers })
}
