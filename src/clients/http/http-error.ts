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

/** Whether it is one, from whichever bundle: the command line makes its client in another one than its commands. */
export function isHttpError(error: unknown): error is HttpError {
  return isCodedError(error) && error.code.startsWith('HTTP_')
}
