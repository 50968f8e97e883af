/** Signing in to registries: basic, or bearer tokens by scope (distribution-spec; Docker's token and OAuth2 flows). @module */
import { encodeBase64 } from '#encoding/base64'
import { isJsonObject, type JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Repository } from '#formats/oci/reference'
import type { Clock } from '#time'
import { readJson } from '../http/body.js'
import type { Fetch, FetchResponse } from '../http/fetch.js'
import { readReason } from '../http/reason.js'
import { RecentMap } from '../recent-map.js'
import { parseChallenges } from './challenge.js'
import { ANONYMOUS, type Credentials, type Keychain } from './credentials.js'
import { RegistryError } from './registry-error.js'

/** What a request is going to do. */
export type Action = 'pull' | 'push' | 'delete'

/** What the tokens are for. */
export interface Scope {
  readonly repository: Repository
  readonly actions: readonly Action[]
  /** A second repository that is read on the way (blob mounts). */
  readonly also?: Repository | undefined
}

/** Holds the tokens of one invocation. */
export interface Authenticator {
  /** The Authorization header to send, if there is reason to send one before being asked. */
  authorize(scope: Scope): Promise<string | undefined>
  /**
   * The header to try again with after a 401 to `sent`.
   * @throws RegistryError REGISTRY_UNAUTHORIZED, REGISTRY_TOKEN
   */
  answer(scope: Scope, challenge: AskedBy, sent: string | undefined): Promise<string>
}

/** A 401 and where it came from. */
export interface AskedBy {
  readonly header: string
  /** The origin that asked, such as `https://ghcr.io`. */
  readonly origin: string
}

export interface AuthenticatorPorts {
  readonly fetch: Fetch
  readonly keychain: Keychain
  readonly clock: Clock
}

type Scheme =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string; readonly askedScope: string }

interface Token {
  readonly value: string
  /** When it is no longer to be used. */
  readonly expires: number
}

/** Docker's default when a token does not say (distribution token spec). */
const DEFAULT_LIFETIME = 60
/** Tokens are renewed a little early, for clocks and slow networks. */
const MARGIN = 10_000
const CLIENT_ID = 'countersign'
/** So many registries, and repositories, are remembered: a process that lives long meets all of the world's. */
const REMEMBERED = 1000

/** An authenticator over one keychain. Requests that need the same token share one. */
export function createAuthenticator(ports: AuthenticatorPorts): Authenticator {
  const schemes = new RecentMap<string, Scheme>(REMEMBERED)
  const tokens = new RecentMap<string, Promise<Token>>(REMEMBERED)
  const bearer = async (scope: Scope, scheme: Scheme & { kind: 'bearer' }, refuse?: string): Promise<string> => {
    const credentials = await ports.keychain(scope.repository)
    if (credentials.kind === 'registry-token') return `Bearer ${credentials.token}`
    const wanted = scopeTexts(scope, scheme.askedScope)
    const key = [scope.repository.registry, ...wanted].join(' ')
    const known = await tokens.get(key)?.catch(() => undefined)
    const usable = known !== undefined && known.expires > ports.clock() && `Bearer ${known.value}` !== refuse
    if (usable) return `Bearer ${known.value}`
    const pending = fetchToken(ports, { scheme, scopes: wanted, credentials, registry: scope.repository.registry })
    tokens.set(key, pending)
    return `Bearer ${(await pending).value}`
  }
  return {
    authorize: async (scope) => {
      const scheme = schemes.get(scope.repository.registry)
      if (scheme?.kind === 'bearer') return await bearer(scope, scheme)
      // A password goes nowhere before the registry has said that it wants one.
      return scheme === undefined ? await registryToken(ports, scope) : await basic(ports, scope)
    },
    answer: async (scope, asked, sent) => {
      const { registry } = scope.repository
      const scheme = readScheme(asked, registry)
      schemes.set(registry, scheme)
      const header = scheme.kind === 'bearer' ? await bearer(scope, scheme, sent) : await basic(ports, scope)
      if (header === undefined || header === sent) throw unauthorized(registry, scope, sent !== undefined)
      return header
    },
  }
}

async function registryToken({ keychain }: AuthenticatorPorts, { repository }: Scope): Promise<string | undefined> {
  const credentials = await keychain(repository)
  return credentials.kind === 'registry-token' ? `Bearer ${credentials.token}` : undefined
}

async function basic({ keychain }: AuthenticatorPorts, { repository }: Scope): Promise<string | undefined> {
  const credentials = await keychain(repository)
  return credentials.kind === 'basic' ? basicHeader(credentials) : undefined
}

function basicHeader({ username, password }: Credentials & { kind: 'basic' }): string {
  return `Basic ${encodeBase64(encodeUtf8(`${username}:${password}`))}`
}

function readScheme({ header, origin }: AskedBy, registry: string): Scheme {
  const challenges = parseChallenges(header)
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer === undefined) {
    if (challenges.some(({ scheme }) => scheme === 'basic')) return { kind: 'basic' }
    throw new RegistryError('REGISTRY_RESPONSE', `${registry} wants a login of a kind that is not known`, {
      expected: 'WWW-Authenticate: Bearer or Basic',
      found: challenges.map(({ scheme }) => scheme).join(', ') || 'no challenge',
    })
  }
  const realm = bearer.parameters.get('realm') ?? ''
  return {
    kind: 'bearer',
    realm: checkRealm(realm, origin, registry),
    service: bearer.parameters.get('service') ?? '',
    askedScope: bearer.parameters.get('scope') ?? '',
  }
}

/** Passwords go to the realm, so a registry behind TLS must not send them elsewhere in the clear. */
function checkRealm(realm: string, origin: string, registry: string): string {
  const url = URL.canParse(realm, origin) ? new URL(realm, origin) : undefined
  const plain = url?.protocol === 'http:' && origin.startsWith('http:')
  if (url !== undefined && (url.protocol === 'https:' || plain) && url.username === '') return url.href
  throw new RegistryError(
    'REGISTRY_TOKEN',
    `${registry} names a token service that is not to be trusted with a login`,
    {
      expected: 'an https realm',
      found: url === undefined ? 'no address' : `${url.protocol}//${url.host}`,
    },
  )
}

/** Our own scopes, and the one that was asked for where it is about something else. */
function scopeTexts({ repository, actions, also }: Scope, asked: string): readonly string[] {
  const own = `repository:${repository.repository}:${scopeActions(actions)}`
  const second = also === undefined ? [] : [`repository:${also.repository}:pull`]
  const others = asked
    .split(' ')
    .filter((text) => text !== '' && !text.startsWith(`repository:${repository.repository}:`))
  return [...new Set([own, ...second, ...others])]
}

function scopeActions(actions: readonly Action[]): string {
  const needed = new Set<Action>(actions)
  // Registries let nobody write who may not read.
  if (needed.has('push') || needed.has('delete')) needed.add('pull')
  return (['pull', 'push', 'delete'] as const).filter((action) => needed.has(action)).join(',')
}

interface TokenRequest {
  readonly scheme: Scheme & { kind: 'bearer' }
  readonly scopes: readonly string[]
  readonly credentials: Credentials
  readonly registry: string
}

async function fetchToken({ fetch, clock }: AuthenticatorPorts, request: TokenRequest): Promise<Token> {
  const now = clock()
  const response = await askForToken(fetch, request)
  if (response.status === 401 || response.status === 403) {
    const found = await readReason(response)
    throw new RegistryError('REGISTRY_UNAUTHORIZED', `${request.registry} does not accept the login`, {
      found,
      hint: loginHint(request.registry, request.credentials.kind !== 'anonymous'),
    })
  }
  const what = `the token of ${request.registry}`
  if (response.status !== 200) {
    throw new RegistryError('REGISTRY_TOKEN', `${request.registry} gives no token`, {
      found: await readReason(response),
    })
  }
  return readToken(await readJson(response, { limit: 1024 * 1024, what }), request.registry, now)
}

async function askForToken(fetch: Fetch, { scheme, scopes, credentials }: TokenRequest): Promise<FetchResponse> {
  if (credentials.kind === 'identity-token') {
    // OAuth2 (distribution: docs/spec/auth/oauth.md).
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: credentials.token,
      client_id: CLIENT_ID,
    })
    if (scheme.service !== '') form.set('service', scheme.service)
    form.set('scope', scopes.join(' '))
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
    return await fetch(scheme.realm, { method: 'POST', headers, body: form.toString(), repeatable: true })
  }
  const url = new URL(scheme.realm)
  if (scheme.service !== '') url.searchParams.set('service', scheme.service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers = credentials.kind === 'basic' ? { authorization: basicHeader(credentials) } : {}
  return await fetch(url.href, { headers: { accept: 'application/json', ...headers } })
}

function readToken(answer: JsonValue, registry: string, now: number): Token {
  const object = isJsonObject(answer) ? answer : {}
  const value = [object['token'], object['access_token']].find((text) => typeof text === 'string' && text !== '')
  // Header injection: a token with a line break would end the header.
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new RegistryError('REGISTRY_TOKEN', `${registry} answered without a token`, {
      expected: 'JSON with token or access_token',
    })
  }
  const lifetime = object['expires_in']
  const seconds = typeof lifetime === 'number' && lifetime > 0 ? lifetime : DEFAULT_LIFETIME
  return { value, expires: now + seconds * 1000 - MARGIN }
}

function unauthorized(registry: string, { repository, actions }: Scope, signedIn: boolean): RegistryError {
  return new RegistryError('REGISTRY_UNAUTHORIZED', `${registry} wants a login for ${repository.repository}`, {
    expected: `permission to ${actions.join(' and ')}`,
    found: signedIn ? 'a login that does not have it' : 'no login',
    hint: loginHint(registry, signedIn),
  })
}

function loginHint(registry: string, signedIn: boolean): string {
  return signedIn
    ? `Sign in again with an account that may do this: countersign login ${registry}`
    : `Sign in: countersign login ${registry} (docker login works too)`
}

/** For callers that have no keychain. */
export const anonymousKeychain: Keychain = () => Promise.resolve(ANONYMOUS)
