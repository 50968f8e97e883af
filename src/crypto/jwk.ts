/** Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6). @module */
import { createPublicKey } from 'node:crypto'
import { decodeBase64Url } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { KeyError } from './key-error.js'
import { type PublicKey, parsePublicKey } from './public-key.js'

/** What makes up a key of each type. Nothing else is looked at. */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['EC', ['x', 'y']],
  ['RSA', ['n', 'e']],
  ['OKP', ['x']],
])
const CURVES: ReadonlySet<unknown> = new Set(['P-256', 'P-384', 'P-521', 'Ed25519'])

/**
 * Reads the public part of a JSON Web Key.
 * @throws {@link KeyError} KEY_MALFORMED, KEY_UNSUPPORTED or KEY_WEAK
 */
export function publicKeyFromJwk(jwk: JsonObject): PublicKey {
  const { kty, crv } = jwk
  const members = typeof kty === 'string' ? MEMBERS.get(kty) : undefined
  if (typeof kty !== 'string' || members === undefined) {
    throw new KeyError('KEY_UNSUPPORTED', 'a JSON Web Key of a type that is not supported', {
      expected: [...MEMBERS.keys()].join(', '),
      found: typeof kty === 'string' ? JSON.stringify(kty.slice(0, 40)) : 'no kty',
    })
  }
  if (kty !== 'RSA' && !CURVES.has(crv)) {
    throw new KeyError('KEY_UNSUPPORTED', 'a JSON Web Key on a curve that is not supported', {
      expected: [...CURVES].join(', '),
      found: typeof crv === 'string' ? JSON.stringify(crv.slice(0, 40)) : 'no crv',
    })
  }
  try {
    const numbers = members.map((name) => [name, base64UrlIn(jwk, name)] as const)
    const curve = typeof crv === 'string' && kty !== 'RSA' ? { crv } : {}
    const key = createPublicKey({ key: { kty, ...curve, ...Object.fromEntries(numbers) }, format: 'jwk' })
    return parsePublicKey(new Uint8Array(key.export({ format: 'der', type: 'spki' })))
  } catch (cause) {
    if (cause instanceof KeyError) throw cause
    throw new KeyError('KEY_MALFORMED', 'the JSON Web Key is not a public key', { cause })
  }
}

function base64UrlIn(jwk: JsonObject, name: string): string {
  const value = jwk[name]
  try {
    if (typeof value === 'string' && decodeBase64Url(value).length > 0) return value
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new KeyError('KEY_MALFORMED', `the JSON Web Key has no ${name}`, { expected: 'base64url without padding' })
}
