/** What can go wrong between a client and a host, before there is an answer to judge. @module */
import { CodedError, isCodedError } from '#errors'

/** Closed set of transport failures; docs/errors.md says what to do about each. */
export type HttpErrorCode =
  | 'HTTP_URL'
  | 'HTTP_DNS'
  | 'HTTP_CONNECT'
  | 'HTTP_RESET'
  | 'HTTP_TLS'
  | 'HTTP_PROTOCOL'
  | 'HTTP_PROXY'
  | 'HTTP_CA'
  | 'HTTP_TIMEOUT'
  | 'HTTP_ABORTED'
  | 'HTTP_REDIRECT'
  | 'HTTP_TOO_LARGE'
  | 'HTTP_TRUNCATED'
  | 'HTTP_JSON'

/** A request that got no usable answer. */
export class HttpError extends CodedError<HttpErrorCode> {
  override readonly name = 'HttpError'
}

/**
 * Whether an error is one of these. `instanceof` would not do: in the built program the HTTP client is a chunk of its own, with a
 * class of its own (ADR 6).
 */
export function isHttpError(error: unknown): error is HttpError {
  return isCodedError(error) && error.name === 'HttpError'
}
