/** Identity tokens that the surroundings hold ready: CI systems, clouds, files. @module */
import { isJsonObject, type JsonValue } from '#encoding/json'
import { readJson, readText } from '../http/body.js'
import type { FetchInit } from '../http/fetch.js'
import { isHttpError } from '../http/http-error.js'
import { readReason } from '../http/reason.js'
import { hostOf } from '../http/service.js'
import { OidcError } from './oidc-error.js'
import type { AmbientPorts } from './ports.js'
import { fetchJwtSvid, spiffeSocket } from './spiffe.js'
import { checkToken } from './token.js'

/** One place where a token may be. */
interface AmbientProvider {
  /** cosign's name for it (`--oidc-provider`). */
  readonly name: string
  readonly enabled: (ports: AmbientPorts) => Promise<boolean> | boolean
  readonly provide: (ports: AmbientPorts, audience: string) => Promise<string>
}

/** A token and where it came from. */
export interface AmbientToken {
  readonly provider: string
  readonly token: string
}

/** What is looked for. */
export interface AmbientRequest {
  /** Who the token is for; `sigstore` by convention. */
  readonly audience: string
  /** Only this provider, whether it seems to be there or not. */
  readonly provider?: string | undefined
}

const TOKEN_FILE = '/var/run/sigstore/cosign/oidc-token'
const PRODUCT_NAME_FILE = '/sys/class/dmi/id/product_name'
const LIMIT = 256 * 1024

/** In the order of looking. A variable that somebody set comes before what merely happens to be there. */
const PROVIDERS: readonly AmbientProvider[] = [
  {
    name: 'envvar',
    enabled: ({ env }) => has(env, 'SIGSTORE_ID_TOKEN'),
    provide: ({ env }) => Promise.resolve(env['SIGSTORE_ID_TOKEN'] ?? ''),
  },
  {
    name: 'github-actions',
    enabled: ({ env }) => has(env, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN') && has(env, 'ACTIONS_ID_TOKEN_REQUEST_URL'),
    provide: githubActions,
  },
  { name: 'google-workload-identity', enabled: onGoogle, provide: googleMetadata },
  {
    name: 'google-impersonate',
    enabled: ({ env }) => has(env, 'GOOGLE_SERVICE_ACCOUNT_NAME'),
    provide: googleImpersonate,
  },
  {
    name: 'filesystem',
    enabled: async ({ files }) => await files.exists(TOKEN_FILE),
    provide: async ({ files }) => (await files.read(TOKEN_FILE)) ?? '',
  },
  {
    name: 'spiffe',
    enabled: async ({ env, files }) => await files.exists(spiffeSocket(env)),
    provide: async (ports, audience) => await fetchJwtSvid(ports, audience),
  },
  { name: 'buildkite-agent', enabled: ({ env }) => has(env, 'BUILDKITE_AGENT_ACCESS_TOKEN'), provide: buildkite },
]

/** Names for `--oidc-provider`. */
export const AMBIENT_PROVIDERS: readonly string[] = PROVIDERS.map(({ name }) => name)

/**
 * The first token that the surroundings have, or undefined. A provider that is there but fails is an error: going on to
 * the next one, or to a browser, would sign as somebody else than meant.
 * @throws OidcError OIDC_PROVIDER, OIDC_UNKNOWN_PROVIDER, OIDC_TOKEN
 */
export async function findAmbientToken(
  ports: AmbientPorts,
  request: AmbientRequest,
): Promise<AmbientToken | undefined> {
  if (request.provider !== undefined && request.provider !== '') {
    const chosen = PROVIDERS.find(({ name }) => name === request.provider)
    if (chosen === undefined) throw unknownProvider(request.provider)
    return await ask(chosen, ports, request.audience)
  }
  for (const provider of PROVIDERS) {
    if (await provider.enabled(ports)) return await ask(provider, ports, request.audience)
  }
  return undefined
}

/** Whether the surroundings have a provider at all, which says nothing of whether it will give a token. */
export async function hasAmbientProvider(ports: AmbientPorts): Promise<boolean> {
  for (const provider of PROVIDERS) if (await provider.enabled(ports)) return true
  return false
}

async function ask({ name, provide }: AmbientProvider, ports: AmbientPorts, audience: string): Promise<AmbientToken> {
  try {
    return { provider: name, token: checkToken(await provide(ports, audience), `the provider ${name}`) }
  } catch (cause) {
    if (!isHttpError(cause)) throw cause
    throw failed(name, cause.message, cause)
  }
}

function has(env: AmbientPorts['env'], name: string): boolean {
  return (env[name] ?? '') !== ''
}

async function githubActions({ fetch, env }: AmbientPorts, audience: string): Promise<string> {
  const address = env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? ''
  if (!URL.canParse(address)) throw failed('github-actions', 'ACTIONS_ID_TOKEN_REQUEST_URL is not set to an address')
  const url = new URL(address)
  url.searchParams.set('audience', audience)
  const authorization = `bearer ${env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? ''}`
  const answer = await getJson('github-actions', fetch, { url: url.href, headers: { authorization } })
  return member(answer, 'value')
}

/** As kubernetes and cosign tell a Google machine; asking the metadata server elsewhere would only wait for a timeout. */
async function onGoogle(ports: AmbientPorts): Promise<boolean> {
  const product = ((await ports.files.read(PRODUCT_NAME_FILE)) ?? '').trim()
  if (product !== 'Google' && product !== 'Google Compute Engine') return false
  // Being on Google does not mean that the machine has an identity.
  try {
    await googleMetadata(ports, 'sigstore')
    return true
  } catch {
    return false
  }
}

const METADATA = '/computeMetadata/v1/instance/service-accounts/default'
const METADATA_HEADERS = { 'metadata-flavor': 'Google' }

function metadataHost(env: AmbientPorts['env']): string {
  const host = env['GCE_METADATA_HOST'] ?? ''
  return host === '' ? 'metadata.google.internal' : host
}

async function googleMetadata({ fetch, env }: AmbientPorts, audience: string): Promise<string> {
  const query = new URLSearchParams({ audience, format: 'full' })
  const url = `http://${metadataHost(env)}${METADATA}/identity?${query.toString()}`
  const response = await fetch(url, { headers: METADATA_HEADERS })
  if (response.status !== 200) throw failed('google-workload-identity', await readReason(response))
  return await readText(response, { limit: LIMIT, what: 'the metadata server’s token' })
}

async function googleImpersonate({ fetch, env }: AmbientPorts, audience: string): Promise<string> {
  const own = await getJson('google-impersonate', fetch, {
    url: `http://${metadataHost(env)}${METADATA}/token`,
    headers: METADATA_HEADERS,
  })
  const account = encodeURIComponent(env['GOOGLE_SERVICE_ACCOUNT_NAME'] ?? '')
  const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateIdToken`
  const answer = await getJson('google-impersonate', fetch, {
    url,
    method: 'POST',
    headers: { authorization: `Bearer ${member(own, 'access_token')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ audience, includeEmail: true }),
    repeatable: true,
  })
  return member(answer, 'token')
}

async function buildkite({ fetch, env }: AmbientPorts, audience: string): Promise<string> {
  const endpoint = (env['BUILDKITE_AGENT_ENDPOINT'] ?? '').replace(/\/+$/, '') || 'https://agent.buildkite.com/v3'
  const job = encodeURIComponent(env['BUILDKITE_JOB_ID'] ?? '')
  const answer = await getJson('buildkite-agent', fetch, {
    url: `${endpoint}/jobs/${job}/oidc/tokens`,
    method: 'POST',
    headers: {
      authorization: `Token ${env['BUILDKITE_AGENT_ACCESS_TOKEN'] ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ audience }),
    repeatable: true,
  })
  return member(answer, 'token')
}

async function getJson(
  provider: string,
  fetch: AmbientPorts['fetch'],
  { url, ...init }: FetchInit & { readonly url: string },
): Promise<JsonValue> {
  const response = await fetch(url, { ...init, headers: { accept: 'application/json', ...init.headers } })
  if (response.status !== 200 && response.status !== 201) throw failed(provider, await readReason(response))
  return await readJson(response, { limit: LIMIT, what: `the token of ${hostOf(url)}` })
}

function member(answer: JsonValue, name: string): string {
  const value = isJsonObject(answer) ? answer[name] : undefined
  return typeof value === 'string' ? value : ''
}

function failed(provider: string, found: string, cause?: unknown): OidcError {
  return new OidcError('OIDC_PROVIDER', `the identity provider ${provider} gives no token`, {
    found,
    hint: 'Repair it, choose another with --oidc-provider, or pass a token with --identity-token.',
    cause,
  })
}

function unknownProvider(found: string): OidcError {
  return new OidcError('OIDC_UNKNOWN_PROVIDER', 'there is no identity provider of that name', {
    expected: AMBIENT_PROVIDERS.join(', '),
    found: found.slice(0, 60),
  })
}
