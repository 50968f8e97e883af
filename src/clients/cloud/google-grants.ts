/** Access tokens of Google for what stands in its files. @module */
import { ALGORITHMS } from '#crypto/algorithms'
import { type PrivateKey, privateKeyFromPem } from '#crypto/private-key'
import { encodeBase64 } from '#encoding/base64'
import { isJsonObject, parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseRfc3339, type UnixMillis } from '#time'
import { readText } from '../http/body.js'
import { expiryIn, isSecret, postOf, readObject, type Renewal, secretIn } from './answers.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'
import type {
  AuthorizedUser,
  ExternalAccount,
  GoogleCredentials,
  Impersonation,
  ServiceAccount,
  SubjectTokenSource,
} from './google-credentials.js'
import { signJwt } from './jwt.js'
import type { Expiring } from './recent-logins.js'

export interface AccessToken extends Expiring {
  readonly token: string
}

/** What Google's clients ask for; what may be done with it is a matter of roles. */
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const WHAT = 'the token service of Google'

/** @throws CloudError CLOUD_CREDENTIALS, CLOUD_SETTINGS, CLOUD_LOGIN_EXPIRED */
export async function googleGrant(ports: CloudPorts, credentials: GoogleCredentials): Promise<AccessToken> {
  switch (credentials.type) {
    case 'service_account':
      return await forServiceAccount(ports, credentials)
    case 'authorized_user':
      return await forUser(ports, credentials)
    case 'external_account':
      return await forExternalAccount(ports, credentials)
    case 'impersonated_service_account':
      return await impersonate(ports, await googleGrant(ports, credentials.source), credentials.impersonation)
  }
}

const LIFE_SECONDS = 3600
/** The clock of this machine may be ahead of Google's. */
const SKEW_SECONDS = 10

/** A statement by the account's own key (RFC 7523 §2.1). */
async function forServiceAccount(
  { fetch, clock }: CloudPorts,
  { email, privateKey, keyId, tokenUrl }: ServiceAccount,
): Promise<AccessToken> {
  const issued = Math.floor(clock() / 1000) - SKEW_SECONDS
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) }
  const claims = { iss: email, scope: SCOPE, aud: tokenUrl, iat: issued, exp: issued + LIFE_SECONDS }
  const assertion = await signJwt(rsaKey(privateKey), header, claims)
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  const answer = await readObject(await fetch(tokenUrl, postOf(form)), WHAT)
  return { token: secretIn(answer, 'access_token', WHAT), expires: expiryIn(answer, clock()) }
}

function rsaKey(pem: string): PrivateKey {
  try {
    const key = privateKeyFromPem(pem)
    if (key.algorithm.family === 'rsa-pkcs1' && key.algorithm.digest === 'sha256') return key
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CloudError('CLOUD_SETTINGS', `the private_key of the service account: ${cause.message}`, { cause })
  }
  throw new CloudError('CLOUD_SETTINGS', 'the private_key of the service account is of another kind', {
    expected: `a key for ${ALGORITHMS['rsa-sign-pkcs1-2048-sha256'].name}`,
  })
}

const USER_RENEWAL: Renewal = {
  refusals: new Set(['invalid_grant', 'invalid_rapt']),
  hint: 'run "gcloud auth application-default login"',
}

async function forUser(
  { fetch, clock }: CloudPorts,
  { clientId, clientSecret, refreshToken }: AuthorizedUser,
): Promise<AccessToken> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: clientId,
    client_secret: clientSecret,
    refresh_token: refreshToken,
  })
  const response = await fetch('https://oauth2.googleapis.com/token', postOf(form))
  const answer = await readObject(response, WHAT, USER_RENEWAL)
  return { token: secretIn(answer, 'access_token', WHAT), expires: expiryIn(answer, clock()) }
}

/** Workload identity federation (RFC 8693). */
async function forExternalAccount(ports: CloudPorts, account: ExternalAccount): Promise<AccessToken> {
  const { fetch, clock } = ports
  const { client, userProject, impersonation } = account
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: account.audience,
    scope: SCOPE,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: account.subjectTokenType,
    subject_token: await subjectToken(ports, account.source),
    // A client has a project of its own.
    ...(userProject !== undefined && client === undefined && { options: JSON.stringify({ userProject }) }),
  })
  const headers: Record<string, string> = {}
  if (client !== undefined)
    headers['authorization'] = `Basic ${encodeBase64(encodeUtf8(`${client.id}:${client.secret}`))}`
  const answer = await readObject(await fetch(account.tokenUrl, postOf(form, headers)), WHAT)
  const exchanged = { token: secretIn(answer, 'access_token', WHAT), expires: expiryIn(answer, clock()) }
  return impersonation === undefined ? exchanged : await impersonate(ports, exchanged, impersonation)
}

const SUBJECT_LIMIT = 256 * 1024

/** The token of the issuer. It goes to Google's token service, and nowhere else. */
async function subjectToken(ports: CloudPorts, source: SubjectTokenSource): Promise<string> {
  const text = await subjectText(ports, source)
  const token = source.field === undefined ? text.trim() : fieldOf(text, source.field)
  if (isSecret(token)) return token
  throw noSubject(source, source.field === undefined ? 'a token' : `a token in ${source.field.slice(0, 60)}`)
}

async function subjectText({ fetch, readText: readFile }: CloudPorts, source: SubjectTokenSource): Promise<string> {
  if (source.kind === 'file') return await readFile(source.path)
  const response = await fetch(source.url, { headers: source.headers, redirect: 'error' })
  const text = await readText(response, { limit: SUBJECT_LIMIT, what: 'the answer of credential_source' })
  if (response.status >= 200 && response.status < 300) return text
  throw noSubject(source, 'status 200', `status ${String(response.status)}`)
}

function fieldOf(text: string, field: string): string | undefined {
  try {
    const answer = parseJson(text)
    const value = isJsonObject(answer) ? answer[field] : undefined
    return typeof value === 'string' ? value : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function noSubject({ kind }: SubjectTokenSource, expected: string, found?: string): CloudError {
  return new CloudError('CLOUD_CREDENTIALS', `the ${kind} of credential_source gives no token`, { expected, found })
}

/** The token of another account (generateAccessToken of the IAM Service Account Credentials API). */
async function impersonate(
  { fetch }: CloudPorts,
  { token }: AccessToken,
  { url, delegates, seconds }: Impersonation,
): Promise<AccessToken> {
  const what = 'the account that is impersonated'
  const body = { scope: [SCOPE], lifetime: `${String(seconds)}s`, ...(delegates.length > 0 && { delegates }) }
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    repeatable: true,
    redirect: 'error',
  })
  const answer = await readObject(response, what)
  return { token: secretIn(answer, 'accessToken', what), expires: timeIn(answer['expireTime']) }
}

function timeIn(value: unknown): UnixMillis | undefined {
  try {
    return parseRfc3339(typeof value === 'string' ? value : '')
  } catch (error) {
    if (isCodedError(error)) return undefined // it is used at once, and not kept for long
    throw error
  }
}
