/** Calling a service at a base URL. @module */
import type { FetchResponse } from './fetch.js'
import { HttpError } from './http-error.js'

/**
 * The address of an endpoint below a base URL, which may have a path of its own and may end in a slash or not.
 * @throws {@link HttpError} HTTP_URL if the base is no http(s) address.
 */
export function endpoint(base: string, path: string): string {
  const url = URL.canParse(base) ? new URL(base) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new HttpError('HTTP_URL', 'not the address of a service', {
      expected: 'an http or https URL',
      found: url === undefined ? 'something else' : `a ${url.protocol} URL`,
    })
  }
  url.search = ''
  url.hash = ''
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path.startsWith('/') ? path : `/${path}`}`
  return url.href
}

/** The host of an address, to name it in an error. */
export function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : 'the service'
}

/** Whether a status means that the service could not do its work, rather than that the request was wrong. */
export function isUnavailable({ status }: FetchResponse): boolean {
  return status === 429 || status >= 500
}
