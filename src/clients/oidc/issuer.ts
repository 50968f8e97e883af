/** An OpenID Connect issuer as a client sees it: discovery, and the token endpoint. @module */
import { encodeBase64 } from '#encoding/base64'
import { isJsonObject, type JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { readJson } from '../http/body.js'
import type { Fetch, FetchResponse } from '../http/fetch.js'
import { isLoopbackHost } from '../http/proxy.js'
import { printable, readReason } from '../http/reason.js'
import { hostOf } from '../http/service.js'
import { OidcError } from './oidc-error.js'

/** A client of an issuer. */
export interface OidcClient {
  /** Such as `https://oauth2.sigstore.dev/auth`. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret?: string | undefined
}

/** Where an issuer does what. */
export interface IssuerEndpoints {
  readonly issuer: string
  readonly authorization: string
  readonly token: string
  /** Not all issuers have it. */
  readonly deviceAuthorization: string | undefined
}

const LIMIT = 1024 * 1024

/**
 * Reads `/.well-known/openid-configuration` (OpenID Connect Discovery §4).
 * @throws OidcError OIDC_DISCOVERY
 */
export async function discoverIssuer(fetch: Fetch, issuer: string): Promise<IssuerEndpoints> {
  const base = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (base === undefined || !isProtected(base)) throw unusable(issuer, 'an https address', 'something else')
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
  const response = await fetch(url, { headers: { accept: 'application/json' } })
  if (response.status !== 200) throw unusable(issuer, 'a discovery document', await readReason(response))
  const document = await readJson(response, { limit: LIMIT, what: `the discovery document of ${base.host}` })
  const fields = isJsonObject(document) ? document : {}
  // Mix-up attack: the document must be this issuer's own (§4.3).
  if (fields['issuer'] !== issuer) throw unusable(issuer, issuer, text(fields, 'issuer') || 'no issuer')
  return {
    issuer,
    authorization: address(fields, 'authorization_endpoint', issuer),
    token: address(fields, 'token_endpoint', issuer),
    deviceAuthorization:
      fields['device_authorization_endpoint'] === undefined
        ? undefined
        : address(fields, 'device_authorization_endpoint', issuer),
  }
}

/** An answer of the token endpoint. */
export type TokenAnswer =
  | { readonly kind: 'tokens'; /** Secret. */ readonly idToken: string; /** Secret. */ readonly accessToken: string }
  | { readonly kind: 'error'; readonly error: string; readonly description: string }

/** Sends a form to the token endpoint; the secret goes as basic authentication (RFC 6749 §2.3.1). */
export async function askTokenEndpoint(
  fetch: Fetch,
  url: string,
  {
    client,
    form,
    signal,
  }: {
    readonly client: OidcClient
    readonly form: Readonly<Record<string, string>>
    readonly signal?: AbortSignal | undefined
  },
): Promise<TokenAnswer> {
  const { clientId, clientSecret = '' } = client
  const credentials = encodeBase64(encodeUtf8(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`))
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(clientSecret !== '' && { authorization: `Basic ${credentials}` }),
    },
    body: new URLSearchParams({ client_id: clientId, ...form }).toString(),
    ...(signal !== undefined && { signal }),
  })
  return await readAnswer(response, url)
}

async function readAnswer(response: FetchResponse, url: string): Promise<TokenAnswer> {
  const json = (response.headers.get('content-type') ?? '').includes('json')
  if (!json && response.status !== 200) {
    return { kind: 'error', error: 'server_error', description: await readReason(response) }
  }
  const body = await readJson(response, { limit: LIMIT, what: `the answer of ${hostOf(url)}` })
  const fields = isJsonObject(body) ? body : {}
  if (response.status === 200 && text(fields, 'error') === '') {
    return { kind: 'tokens', idToken: text(fields, 'id_token'), accessToken: text(fields, 'access_token') }
  }
  const error = printable(text(fields, 'error')) || `status ${String(response.status)}`
  return { kind: 'error', error, description: printable(text(fields, 'error_description')) }
}

function text(fields: JsonObject, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

function address(fields: JsonObject, name: string, issuer: string): string {
  const value = text(fields, name)
  if (URL.canParse(value) && isProtected(new URL(value))) return value
  throw unusable(issuer, `${name} with an https address`, value === '' ? 'none' : 'something else')
}

/** Codes and tokens travel there, so it is TLS or this machine. */
function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
}

function unusable(issuer: string, expected: string, found: string): OidcError {
  return new OidcError('OIDC_DISCOVERY', `the identity issuer ${hostOf(issuer)} cannot be used`, {
    expected,
    found: printable(found),
    hint: 'Check --oidc-issuer, or the OIDC service of the signing configuration.',
  })
}
