/** Reading claims of a verified token, and writing URLs from them as Go does. @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { VerifiedToken } from './identity-token.js'
import { IssuingError } from './errors.js'

/** A claim that must be a non-empty text. @throws IssuingError ISSUING_IDENTITY */
export function requiredClaim(token: VerifiedToken, name: string): string {
  const value = optionalClaim(token, name)
  if (value !== undefined) return value
  throw identityError(`the token has no claim ${name}`)
}

/** A claim that is a non-empty text, or undefined. @throws IssuingError ISSUING_IDENTITY for another type */
export function optionalClaim({ claims }: VerifiedToken, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw identityError(`the claim ${name} of the token is not text`)
}

/** The claims that every certificate has. */
export function issuerClaims(token: VerifiedToken): { issuerV1: string; issuer: string; tokenSubject: string } {
  const { issuerUrl } = token.issuer
  return { issuerV1: issuerUrl, issuer: issuerUrl, tokenSubject: token.subject }
}

export function identityError(message: string, found?: string): IssuingError {
  return new IssuingError('ISSUING_IDENTITY', message, { found: found?.slice(0, 200) })
}

/** Go's url.JoinPath: segments joined, `.` and `..` and empty ones resolved, everything unusual percent-encoded. */
export function joinUrl(base: string, ...parts: readonly string[]): string {
  const segments: string[] = []
  for (const segment of parts.join('/').split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return `${base.replace(/\/$/, '')}/${segments.map((segment) => escapeUrl(segment, PATH_SAFE)).join('/')}`
}

/** What Go leaves alone in a path segment. */
const PATH_SAFE = /[A-Za-z0-9\-_.~$&+,:;=@!*'()%]/
/** What may stand anywhere in a URL. */
const URL_SAFE = /[A-Za-z0-9\-_.~$&+,:;=@!*'()%/?#[\]]/

/**
 * A URI for a certificate: absolute, and percent-encoded where it has to be.
 * @throws IssuingError ISSUING_IDENTITY
 */
export function certificateUri(text: string): string {
  const uri = escapeUrl(text, URL_SAFE)
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(uri) && uri.length <= MAX_URI_LENGTH) return uri
  throw identityError('the claims of the token make no URI', text)
}

const MAX_URI_LENGTH = 4096

function escapeUrl(text: string, safe: RegExp): string {
  let escaped = ''
  for (const character of text) {
    if (safe.test(character)) escaped += character
    else for (const byte of encodeUtf8(character)) escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}
