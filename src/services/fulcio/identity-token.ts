/** Checks of an OIDC identity token, in the order of OpenID Connect Core §3.1.3.7 as Fulcio has them. @module */
import { compactVerify, createLocalJWKSet, errors as joseErrors } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { decodeBase64Url } from '#encoding/base64'
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { formatRfc3339 } from '#time'
import type { Clock } from '#time'
import { isCodedError } from '#errors'
import type { FulcioConfig, IssuerConfig } from './config.js'
import { findIssuer } from './config.js'
import type { IssuerKeys, KeyFinder } from './discovery.js'
import { IssuingError } from './errors.js'

/** A token that has passed every check. There is no other way to one than {@link verifyIdentityToken}. */
export interface VerifiedToken {
  readonly issuer: IssuerConfig
  readonly subject: string
  readonly claims: JsonObject
}

export interface TokenChecks {
  readonly config: FulcioConfig
  readonly keyFinder: KeyFinder
  readonly clock: Clock
}

/** Real tokens have 1 to 4 kB; base64 and JSON of megabytes would be work for nothing (GHSA-f83f-xpx7-ffpw). */
const MAX_TOKEN_LENGTH = 32 * 1024
const MAX_SUBJECT_LENGTH = 4096
/** Fulcio's leeway for `nbf`; there is none for `exp`. */
const NOT_BEFORE_LEEWAY = 5 * 60_000

/** Asymmetric algorithms only: with an HMAC, the issuer's public key would be the secret. */
const ALGORITHMS: ReadonlySet<string> = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
])

/**
 * Verifies a token.
 * @throws IssuingError ISSUING_TOKEN, ISSUING_TOKEN_ISSUER, ISSUING_DISCOVERY, ISSUING_TOKEN_SIGNATURE, ISSUING_TOKEN_AUDIENCE,
 *   ISSUING_TOKEN_TIME
 */
export async function verifyIdentityToken(token: string, checks: TokenChecks): Promise<VerifiedToken> {
  const unverified = readClaims(token)
  const issuer = knownIssuer(unverified, checks.config)
  const keys = await checks.keyFinder.keys(issuer)
  await checkSignature(token, { issuer, keys, keyFinder: checks.keyFinder })
  // The signature covers exactly the bytes that were read above, so these are the issuer's claims.
  checkAudience(unverified, issuer)
  checkTimes(unverified, checks.clock)
  return { issuer, subject: subjectOf(unverified), claims: unverified }
}

function readClaims(token: string): JsonObject {
  if (token === '') throw malformed('there is no identity token')
  if (token.length > MAX_TOKEN_LENGTH) throw malformed('the identity token is too large')
  // Counted before anything is split: three parts, no more (GHSA-f83f-xpx7-ffpw).
  const parts = token.split('.', 4)
  const [, payload] = parts
  if (parts.length !== 3 || payload === undefined) throw malformed('the identity token has not three parts')
  try {
    const claims = parseJson(decodeBase64Url(payload))
    if (isJsonObject(claims)) return claims
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed('the claims of the identity token cannot be read', cause)
  }
  throw malformed('the claims of the identity token are no object')
}

function knownIssuer(claims: JsonObject, config: FulcioConfig): IssuerConfig {
  const name = claims['iss']
  const issuer = typeof name === 'string' ? findIssuer(config, name) : undefined
  if (issuer !== undefined) return issuer
  throw new IssuingError('ISSUING_TOKEN_ISSUER', 'the token is of an issuer that is not configured', {
    expected: [...config.issuers.keys(), ...config.metaIssuers.keys()].slice(0, 5).join(', '),
    found: typeof name === 'string' ? name.slice(0, 200) : 'no iss claim',
  })
}

interface SignatureCheck {
  readonly issuer: IssuerConfig
  readonly keys: IssuerKeys
  readonly keyFinder: KeyFinder
}

async function checkSignature(token: string, { issuer, keys, keyFinder }: SignatureCheck): Promise<void> {
  try {
    await verifyWith(token, keys)
  } catch (cause) {
    // A key that is not in the set may be a new one: the issuer is asked once more, but not more often than every ten seconds.
    const newer = cause instanceof joseErrors.JWKSNoMatchingKey ? await keyFinder.newerKeys(issuer, keys) : undefined
    if (newer === undefined) throw notSigned(cause)
    await verifyWith(token, newer).catch((again: unknown) => {
      throw notSigned(again)
    })
  }
}

// A key set keeps the keys that it has imported, which takes as long as using one.
const keySets = new WeakMap<IssuerKeys, ReturnType<typeof createLocalJWKSet>>()

function keySetOf(keys: IssuerKeys): ReturnType<typeof createLocalJWKSet> {
  let keySet = keySets.get(keys)
  if (keySet === undefined) keySets.set(keys, (keySet = createLocalJWKSet(keys.jwks as unknown as JSONWebKeySet)))
  return keySet
}

async function verifyWith(token: string, keys: IssuerKeys): Promise<void> {
  const algorithms = keys.algorithms.filter((name) => ALGORITHMS.has(name))
  const keySet = keySetOf(keys)
  try {
    await compactVerify(token, keySet, { algorithms })
  } catch (cause) {
    if (!(cause instanceof joseErrors.JWKSMultipleMatchingKeys)) throw cause
    // Without a key id, every key of the set may be the one.
    for await (const key of cause) {
      try {
        await compactVerify(token, key, { algorithms })
        return
      } catch (error) {
        if (!(error instanceof joseErrors.JWSSignatureVerificationFailed)) throw error
      }
    }
    throw new joseErrors.JWSSignatureVerificationFailed()
  }
}

function checkAudience(claims: JsonObject, issuer: IssuerConfig): void {
  const audience = claims['aud']
  const list: readonly JsonValue[] = Array.isArray(audience) ? (audience as readonly JsonValue[]) : [audience ?? null]
  if (list.includes(issuer.clientId)) return
  throw new IssuingError('ISSUING_TOKEN_AUDIENCE', 'the token is for another audience', {
    expected: issuer.clientId,
    found: list.map(String).join(', ').slice(0, 200),
  })
}

function checkTimes(claims: JsonObject, clock: Clock): void {
  const [expires, notBefore] = [seconds(claims, 'exp'), seconds(claims, 'nbf')]
  const now = clock()
  if (expires === undefined) throw malformed('the token has no time of expiry')
  if (now >= expires) {
    throw new IssuingError('ISSUING_TOKEN_TIME', 'the token has expired', {
      expected: `a time before ${timeText(expires)}`,
      found: formatRfc3339(now),
      hint: 'get a fresh token',
    })
  }
  if (notBefore !== undefined && now + NOT_BEFORE_LEEWAY < notBefore) {
    throw new IssuingError('ISSUING_TOKEN_TIME', 'the token is not valid yet', {
      expected: `a time from ${timeText(notBefore)} on`,
      found: formatRfc3339(now),
    })
  }
}

/** A NumericDate in milliseconds. */
function seconds(claims: JsonObject, name: string): number | undefined {
  const value = claims[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000
  throw malformed(`the claim ${name} of the token is not a number`)
}

/** `exp` is the caller's: it may be no date at all. */
function timeText(time: number): string {
  return Math.abs(time) < 8.64e15 ? formatRfc3339(Math.floor(time)) : 'a time out of range'
}

function subjectOf(claims: JsonObject): string {
  const subject = claims['sub']
  if (typeof subject === 'string' && subject !== '' && subject.length <= MAX_SUBJECT_LENGTH) return subject
  throw malformed('the token has no subject')
}

function malformed(message: string, cause?: unknown): IssuingError {
  return new IssuingError('ISSUING_TOKEN', message, { expected: 'a signed JWT of an OIDC issuer', cause })
}

/** Of jose's errors only the code is passed on: their texts could grow to hold parts of the token. */
function notSigned(cause: unknown): IssuingError {
  if (cause instanceof IssuingError) return cause
  return new IssuingError('ISSUING_TOKEN_SIGNATURE', 'the token is not signed by a key of its issuer', {
    found: cause instanceof joseErrors.JOSEError ? cause.code : undefined,
    cause,
  })
}
