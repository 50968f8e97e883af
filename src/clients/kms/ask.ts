/** One question to a key management service, and what its refusals mean. @module */
import { isJsonObject, parseJson, type JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { discardBody, readJson, readText } from '../http/body.js'
import type { Fetch, FetchInit, FetchResponse } from '../http/fetch.js'
import { type HttpError, type HttpErrorCode, isHttpError } from '../http/http-error.js'
import { type KmsErrorCode, KmsError } from './kms-error.js'

/** How a service says no. */
export interface RefusalReading {
  /** The service's own code in the answer; what is said beyond it may quote what was sent. */
  readonly code: (answer: JsonObject) => unknown
  readonly meanings: ReadonlyMap<string, KmsErrorCode>
}

export interface Question {
  readonly url: string
  /** Repeatable unless it says otherwise, as it does where an answer that is lost leaves something behind. */
  readonly init: FetchInit
  /** Who is asked, such as `the key service of AWS`. */
  readonly what: string
  readonly refusals: RefusalReading
}

/** A list of versions is the largest answer there is. */
const LIMIT = 1 << 20
const SHOWN_CODE = /^[\w.-]{1,80}$/

/**
 * The answer, a JSON object with status 200. A redirect is not followed: it would carry the login elsewhere.
 * @throws {@link KmsError}
 */
export async function askService(fetch: Fetch, question: Question): Promise<JsonObject> {
  const { what } = question
  const answer = await exchange(fetch, question, async (response) => {
    if (response.status !== 200) throw await refusedBy(response, question)
    return await readJson(response, { limit: LIMIT, what: `the answer of ${what}` })
  })
  if (isJsonObject(answer)) return answer
  throw malformed(what, 'a JSON object')
}

/**
 * Has something done that has no answer beyond its status: 200, or 204.
 * @throws {@link KmsError}
 */
export async function tellService(fetch: Fetch, question: Question): Promise<void> {
  await exchange(fetch, question, async (response) => {
    if (response.status !== 200 && response.status !== 204) throw await refusedBy(response, question)
    await discardBody(response)
  })
}

async function exchange<T>(
  fetch: Fetch,
  { url, init, what }: Question,
  read: (response: FetchResponse) => Promise<T>,
): Promise<T> {
  try {
    return await read(await fetch(url, { repeatable: true, ...init, redirect: 'error' }))
  } catch (error) {
    throw isHttpError(error) ? fromHttp(error, what) : error
  }
}

/** Reads, or asks with JSON. */
export function jsonRequest(
  headers: Readonly<Record<string, string>>,
  body: JsonObject | undefined,
  signal: AbortSignal,
): FetchInit {
  if (body === undefined) return { headers, signal }
  const typed = { ...headers, 'content-type': 'application/json' }
  return { method: 'POST', headers: typed, body: JSON.stringify(body), signal }
}

export function malformed(what: string, expected: string): KmsError {
  return new KmsError('KMS_RESPONSE', `${what} answered with something else than was asked for`, { expected })
}

/** These mean that something answered; the others, that nobody did. */
const ANSWERED: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  'HTTP_JSON',
  'HTTP_TOO_LARGE',
  'HTTP_TRUNCATED',
  'HTTP_REDIRECT',
])

function fromHttp(error: HttpError, what: string): Error {
  // Whoever asked gave up: that says nothing about the service.
  if (error.code === 'HTTP_ABORTED') return error
  const { expected, found, hint } = error
  const code = ANSWERED.has(error.code) ? 'KMS_RESPONSE' : 'KMS_UNREACHABLE'
  return new KmsError(code, `${what}: ${error.message}`, { expected, found, hint, cause: error })
}

async function refusedBy(response: FetchResponse, { what, refusals }: Question): Promise<KmsError> {
  const { code, meanings } = refusals
  const said = codeIn(await readText(response, { limit: LIMIT, what: `the answer of ${what}` }), code)
  const status = `status ${String(response.status)}`
  const meaning = meanings.get(said) ?? byStatus(response.status)
  const found = said === '' ? status : `${status}, ${said}`
  return new KmsError(meaning, `${what} ${SAYS[meaning] ?? 'refuses'}`, { found, hint: HINTS[meaning] })
}

function codeIn(text: string, code: RefusalReading['code']): string {
  try {
    const answer = parseJson(text)
    const said = isJsonObject(answer) ? code(answer) : undefined
    return typeof said === 'string' && SHOWN_CODE.test(said) ? said : ''
  } catch (error) {
    if (isCodedError(error)) return ''
    throw error
  }
}

function byStatus(status: number): KmsErrorCode {
  if (status === 401) return 'KMS_CREDENTIALS'
  if (status === 403) return 'KMS_DENIED'
  if (status === 404) return 'KMS_NOT_FOUND'
  if (status === 409) return 'KMS_EXISTS'
  if (status === 413) return 'KMS_MESSAGE_SIZE'
  return status === 408 || status === 429 || status >= 500 ? 'KMS_UNREACHABLE' : 'KMS_REFUSED'
}

const SAYS: Readonly<Partial<Record<KmsErrorCode, string>>> = {
  KMS_CREDENTIALS: 'does not take the login',
  KMS_DENIED: 'does not allow it',
  KMS_NOT_FOUND: 'has no such key',
  KMS_EXISTS: 'has a key of this name already',
  KMS_MESSAGE_SIZE: 'does not take so large a message',
  KMS_KEY_USAGE: 'does not sign with this key',
  KMS_KEY_TYPE: 'has no public key of it',
  KMS_UNREACHABLE: 'cannot answer now',
}

/** What to do about a message that is too large. */
export const SMALLER_HINT =
  'sign a statement about it (attest-blob), or use an ECDSA or RSA key, whose signatures are over a digest'

const HINTS: Readonly<Partial<Record<KmsErrorCode, string>>> = {
  KMS_CREDENTIALS: 'look at what this runs as, whether its login has run out, and at the clock of this machine',
  KMS_DENIED:
    'look at what the identity that this runs as may do: it has to read the public key, and to sign with it or to make it; Vault says the same of a token that has run out',
  KMS_EXISTS: 'one that was deleted keeps its name until it can no longer be recovered',
  KMS_MESSAGE_SIZE: SMALLER_HINT,
  KMS_KEY_USAGE: 'it may be disabled, on its way to deletion, or made for encryption',
}
