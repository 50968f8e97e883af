/** The files that Google's clients take a login from (Application Default Credentials), as they are written by gcloud. @module */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { isLoopbackHost } from '../http/proxy.js'
import { CloudError } from './cloud-error.js'
import { isExchangeUrl, isImpersonationUrl, isTokenUrl } from './google-hosts.js'

export interface ServiceAccount {
  readonly type: 'service_account'
  readonly email: string
  /** PEM. A secret. */
  readonly privateKey: string
  readonly keyId: string | undefined
  readonly tokenUrl: string
}

export interface AuthorizedUser {
  readonly type: 'authorized_user'
  readonly clientId: string
  /** A secret, as is the next one. */
  readonly clientSecret: string
  readonly refreshToken: string
}

/** Whoever has a token of an issuer that Google was told to trust. */
export interface ExternalAccount {
  readonly type: 'external_account'
  readonly audience: string
  readonly subjectTokenType: string
  readonly tokenUrl: string
  readonly source: SubjectTokenSource
  readonly client: { readonly id: string; readonly secret: string } | undefined
  readonly userProject: string | undefined
  readonly impersonation: Impersonation | undefined
}

/** Where the token of the issuer is. */
export type SubjectTokenSource = { readonly field: string | undefined } & (
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly headers: Readonly<Record<string, string>> }
)

export interface ImpersonatedAccount {
  readonly type: 'impersonated_service_account'
  readonly source: ServiceAccount | AuthorizedUser | ExternalAccount
  readonly impersonation: Impersonation
}

/** An account that gives tokens to whoever was allowed to ask for them. */
export interface Impersonation {
  readonly url: string
  readonly delegates: readonly string[]
  readonly seconds: number
}

export type GoogleCredentials = ServiceAccount | AuthorizedUser | ExternalAccount | ImpersonatedAccount

export interface GoogleFile {
  readonly credentials: GoogleCredentials
  /** Which project a person's requests are counted on. */
  readonly quotaProject: string | undefined
}

/** @throws CloudError CLOUD_SETTINGS; nothing of what is secret in the file is in it */
export function parseGoogleFile(bytes: Uint8Array, path: string): GoogleFile {
  const fields = fieldsOf(parseObject(bytes, path), path)
  return { credentials: readCredentials(fields), quotaProject: fields.optional('quota_project_id', /^[\w.:-]{1,100}$/) }
}

function parseObject(bytes: Uint8Array, path: string): JsonObject {
  try {
    const value = parseJson(bytes)
    if (isJsonObject(value)) return value
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw unusable(path, 'a JSON object')
}

interface Fields {
  readonly value: (name: string) => JsonValue | undefined
  readonly text: (name: string, form?: RegExp) => string
  readonly optional: (name: string, form?: RegExp) => string | undefined
  readonly object: (name: string) => Fields | undefined
  readonly refused: (expected: string, found?: string) => CloudError
}

/** What goes into a request is printable and on one line, unless a form says otherwise. */
const PRINTABLE = /^[\x20-\x7e]{1,10000}$/

function fieldsOf(object: JsonObject, path: string): Fields {
  const refused = (expected: string, found?: string): CloudError => unusable(path, expected, found)
  const optional = (name: string, form: RegExp = PRINTABLE): string | undefined => {
    const value = object[name] ?? ''
    if (value === '') return undefined
    if (typeof value === 'string' && form.test(value)) return value
    throw refused(`${name}, in its form`)
  }
  return {
    value: (name) => object[name],
    optional,
    text: (name, form) => {
      const value = optional(name, form)
      if (value !== undefined) return value
      throw refused(name)
    },
    object: (name) => {
      const value = object[name] ?? undefined
      if (value === undefined) return undefined
      if (isJsonObject(value)) return fieldsOf(value, `${path}, ${name}`)
      throw refused(`${name}, an object`)
    },
    refused,
  }
}

function readCredentials(fields: Fields): GoogleCredentials {
  const universe = fields.optional('universe_domain') ?? 'googleapis.com'
  if (universe !== 'googleapis.com') throw fields.refused('universe_domain googleapis.com', universe.slice(0, 60))
  if (fields.value('type') !== 'impersonated_service_account') return readSource(fields)
  const source = fields.object('source_credentials')
  if (source === undefined) throw fields.refused('source_credentials')
  const impersonation = readImpersonation(fields)
  if (impersonation === undefined) throw fields.refused('service_account_impersonation_url')
  return { type: 'impersonated_service_account', source: readSource(source), impersonation }
}

function readSource(fields: Fields): ServiceAccount | AuthorizedUser | ExternalAccount {
  const type = fields.text('type')
  switch (type) {
    case 'service_account':
      return {
        type,
        email: fields.text('client_email'),
        privateKey: fields.text('private_key', /^[\x20-\x7e\r\n]{1,20000}$/),
        keyId: fields.optional('private_key_id'),
        tokenUrl: readUrl(fields, 'token_uri', { is: isTokenUrl, usual: 'https://oauth2.googleapis.com/token' }),
      }
    case 'authorized_user':
      return {
        type,
        clientId: fields.text('client_id'),
        clientSecret: fields.text('client_secret'),
        refreshToken: fields.text('refresh_token'),
      }
    case 'external_account':
      return readExternalAccount(fields)
    default:
      throw fields.refused(
        'type service_account, authorized_user, external_account, or impersonated_service_account of one of these',
        type.slice(0, 60),
      )
  }
}

function readExternalAccount(fields: Fields): ExternalAccount {
  const id = fields.optional('client_id')
  return {
    type: 'external_account',
    audience: fields.text('audience'),
    subjectTokenType: fields.text('subject_token_type'),
    tokenUrl: readUrl(fields, 'token_url', { is: isExchangeUrl, usual: 'https://sts.googleapis.com/v1/token' }),
    source: readTokenSource(fields),
    client: id === undefined ? undefined : { id, secret: fields.optional('client_secret') ?? '' },
    userProject: fields.optional('workforce_pool_user_project'),
    impersonation: readImpersonation(fields),
  }
}

const MAX_HEADERS = 20

function readTokenSource(fields: Fields): SubjectTokenSource {
  const source = fields.object('credential_source')
  if (source === undefined) throw fields.refused('credential_source')
  for (const name of ['environment_id', 'executable', 'certificate'])
    if ((source.value(name) ?? undefined) !== undefined) throw source.refused('file or url', name)
  const field = readFormat(source)
  const path = source.optional('file')
  if (path !== undefined) return { kind: 'file', path, field }
  const url = source.text('url')
  if (!isTokenSource(url)) throw source.refused('url with https, or of this machine')
  return { kind: 'url', url, headers: readHeaders(source), field }
}

/**
 * Whoever wrote the address wrote the headers beside it, and so knows them: they may go to any host, such as that of a CI system. Without
 * TLS only this machine is asked, or the metadata service that is beside it.
 */
function isTokenSource(text: string): boolean {
  const { protocol, hostname } = URL.canParse(text) ? new URL(text) : { protocol: '', hostname: '' }
  return protocol === 'https:' || (protocol === 'http:' && (isLoopbackHost(hostname) || hostname === '169.254.169.254'))
}

function readHeaders(source: Fields): Readonly<Record<string, string>> {
  const value = source.value('headers') ?? {}
  const entries = isJsonObject(value) ? Object.entries(value) : undefined
  const isHeader = ([name, text]: [string, JsonValue]): boolean =>
    /^[\w-]{1,100}$/.test(name) && typeof text === 'string' && PRINTABLE.test(text)
  if (entries === undefined || entries.length > MAX_HEADERS || !entries.every(isHeader))
    throw source.refused('headers, an object of texts')
  // Sound: each is a text.
  return Object.fromEntries(entries) as Record<string, string>
}

function readFormat(source: Fields): string | undefined {
  const format = source.object('format')
  const type = format?.optional('type') ?? 'text'
  if (format === undefined || type === 'text') return undefined
  if (type === 'json') return format.text('subject_token_field_name')
  throw format.refused('type text or json', type.slice(0, 60))
}

const MAX_DELEGATES = 10

function readImpersonation(fields: Fields): Impersonation | undefined {
  const url = fields.optional('service_account_impersonation_url')
  if (url === undefined) return undefined
  if (!isImpersonationUrl(url)) throw fields.refused('a service_account_impersonation_url of Google')
  const given = fields.value('delegates') ?? []
  const delegates: readonly JsonValue[] = Array.isArray(given) ? given : [given]
  const isName = (each: JsonValue): each is string => typeof each === 'string' && PRINTABLE.test(each)
  if (!delegates.every(isName) || delegates.length > MAX_DELEGATES)
    throw fields.refused('delegates, a list of accounts')
  const seconds = fields.object('service_account_impersonation')?.value('token_lifetime_seconds') ?? 3600
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 1 || seconds > 43_200)
    throw fields.refused('token_lifetime_seconds up to 43200')
  return { url, delegates, seconds }
}

function readUrl(
  fields: Fields,
  name: string,
  { is, usual }: { readonly is: (url: string) => boolean; readonly usual: string },
): string {
  const url = fields.optional(name) ?? usual
  if (is(url)) return url
  throw fields.refused(`${name}, an address of Google’s`)
}

function unusable(path: string, expected: string, found?: string): CloudError {
  return new CloudError('CLOUD_SETTINGS', `${path} is not a login for Google that can be used`, { expected, found })
}
