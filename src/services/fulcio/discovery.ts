/** The signing keys of OIDC issuers: found by discovery, kept, and looked for again when a token names a new one. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { discardBody, readJson } from '#clients/http/body'
import type { Fetch, FetchResponse } from '#clients/http/fetch'
import type { Clock, UnixMillis } from '#time'
import type { IssuerConfig } from './config.js'
import { IssuingError } from './errors.js'

/** What is known of an issuer. */
export interface IssuerKeys {
  /** JWK Set, as it came. */
  readonly jwks: { readonly keys: readonly JsonObject[] }
  /** JWS algorithms that the issuer says it signs with. */
  readonly algorithms: readonly string[]
  readonly fetchedAt: UnixMillis
}

export interface KeyFinder {
  /** The issuer's keys, fetched if they are not known. @throws IssuingError ISSUING_DISCOVERY */
  keys(issuer: IssuerConfig): Promise<IssuerKeys>
  /** Newer keys than the given ones, if it is time to ask for some. @throws IssuingError ISSUING_DISCOVERY */
  newerKeys(issuer: IssuerConfig, known: IssuerKeys): Promise<IssuerKeys | undefined>
}

export interface KeyFinderOptions {
  /** The door to an issuer; it may trust the issuer's own `caCert`. */
  readonly fetchFor: (issuer: IssuerConfig) => Fetch
  readonly clock: Clock
}

const LIMIT = 512 * 1024
const TIMEOUT = 10_000
const MAX_REDIRECTS = 3
const MAX_ISSUERS = 100
/** Keys older than this are fetched again, so that a key that an issuer withdrew stops being believed. */
const MAX_AGE = 15 * 60_000
/** Tokens with made-up key ids must not make us fetch without end. */
const MIN_REFRESH = 10_000
/** What an RS256 issuer that says nothing signs with (OpenID Connect Core §2). */
const DEFAULT_ALGORITHMS = ['RS256']

export function createKeyFinder({ fetchFor, clock }: KeyFinderOptions): KeyFinder {
  // In order of use; wildcard issuers could otherwise fill the memory.
  const known = new Map<string, Promise<IssuerKeys>>()
  const remember = (issuer: IssuerConfig): Promise<IssuerKeys> => {
    const { issuerUrl } = issuer
    known.delete(issuerUrl)
    const oldest = known.keys().next().value
    if (known.size >= MAX_ISSUERS && oldest !== undefined) known.delete(oldest)
    // Requests that come meanwhile share one fetch; a failure is not kept.
    const fetched = discover(fetchFor(issuer), issuerUrl, clock).catch((error: unknown) => {
      if (known.get(issuerUrl) === fetched) known.delete(issuerUrl)
      throw error
    })
    known.set(issuerUrl, fetched)
    return fetched
  }
  return {
    async keys(issuer) {
      const found = await known.get(issuer.issuerUrl)
      return found === undefined || clock() - found.fetchedAt > MAX_AGE ? remember(issuer) : found
    },
    async newerKeys(issuer, old) {
      const found = await known.get(issuer.issuerUrl)
      if (found !== undefined && found !== old) return found
      return clock() - old.fetchedAt < MIN_REFRESH ? undefined : remember(issuer)
    },
  }
}

async function discover(fetch: Fetch, issuerUrl: string, clock: Clock): Promise<IssuerKeys> {
  try {
    const document = await fetchObject(fetch, `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`)
    // OpenID Connect Discovery §4.3: exactly equal, or another tenant's document would do.
    if (document['issuer'] !== issuerUrl) throw failed(issuerUrl, 'the discovery document is of another issuer')
    const jwksUri = document['jwks_uri']
    if (typeof jwksUri !== 'string') throw failed(issuerUrl, 'the discovery document names no jwks_uri')
    const { keys } = await fetchObject(fetch, jwksUri)
    if (!Array.isArray(keys)) throw failed(issuerUrl, 'the key set has no keys')
    return {
      jwks: { keys: (keys as readonly JsonValue[]).filter(isJsonObject) },
      algorithms: textList(document['id_token_signing_alg_values_supported']) ?? DEFAULT_ALGORITHMS,
      fetchedAt: clock(),
    }
  } catch (cause) {
    if (cause instanceof IssuingError) throw cause
    throw failed(issuerUrl, 'the issuer cannot be asked for its keys', cause)
  }
}

async function fetchObject(fetch: Fetch, url: string): Promise<JsonObject> {
  const response = await fetchSameHost(fetch, url)
  const what = 'the answer of an OIDC issuer'
  if (response.status !== 200) {
    await discardBody(response)
    throw failed(url, `it answered with status ${String(response.status)}`)
  }
  const value = await readJson(response, { limit: LIMIT, what })
  if (!isJsonObject(value)) throw failed(url, 'it answered with something that is no object')
  return value
}

/** Follows redirects on the same host only: an issuer must not choose whom this server talks to. */
async function fetchSameHost(fetch: Fetch, start: string): Promise<FetchResponse> {
  let url = start
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const init = {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
    } as const
    const response = await fetch(url, init)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || location === null) return response
    await discardBody(response)
    const next = new URL(location, url)
    if (next.origin !== new URL(url).origin) throw failed(start, 'it redirects to another host')
    url = next.href
  }
  throw failed(start, 'it redirects too often')
}

function textList(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = (value as readonly JsonValue[]).filter((each) => typeof each === 'string')
  return texts.length > 0 ? texts : undefined
}

function failed(found: string, message: string, cause?: unknown): IssuingError {
  return new IssuingError('ISSUING_DISCOVERY', message, { found: found.slice(0, 200), cause })
}
