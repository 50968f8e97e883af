/** One question to a forge: what GitLab and GitHub have in common. @module */
import { isJsonObject, type JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { discardBody, readJson } from '../http/body.js'
import type { Fetch, FetchResponse } from '../http/fetch.js'
import type { Environment } from '../http/proxy.js'
import { ForgeError, type ForgeErrorCode } from './forge-error.js'

export interface ForgePorts {
  readonly fetch: Fetch
  readonly env: Environment
}

/** Where the API of a forge is, and what says who asks. */
export interface Forge {
  /** `GitLab`, for messages. */
  readonly what: string
  /** Without a slash at its end. */
  readonly api: string
  readonly headers: Readonly<Record<string, string>>
}

export interface ForgeQuestion {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the API, its parts percent-encoded. */
  readonly path: string
  readonly body?: JsonObject
  /** What is asked about, such as `the project team/app`. */
  readonly about: string
  readonly signal: AbortSignal
}

/** A variable with a private key is a few kilobytes. */
const LIMIT = 1 << 20

/**
 * The answer, an object; an empty one where there is none. A redirect is not followed: it would carry the token elsewhere.
 * @throws {@link ForgeError}; HttpError HTTP_*
 */
export async function askForge(
  fetch: Fetch,
  { what, api, headers }: Forge,
  { method = 'GET', path, body, about, signal }: ForgeQuestion,
): Promise<JsonObject> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' }
  const response = await fetch(`${api}${path}`, { method, headers: typed, signal, redirect: 'error', ...sent })
  if (response.status < 200 || response.status > 299) throw await refusedBy(response, `${what}: ${about}`)
  if (response.status === 204 || method === 'DELETE' || (method === 'PUT' && isEmpty(response))) {
    await discardBody(response)
    return {}
  }
  const answer = await readJson(response, { limit: LIMIT, what: `the answer of ${what}` })
  if (isJsonObject(answer)) return answer
  throw malformed(what, 'an object')
}

/** Undefined where there is none. */
export async function orAbsent<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (isCodedError(error) && error.code === 'FORGE_NOT_FOUND') return undefined
    throw error
  }
}

/** GitHub answers 201 with an empty object, or with nothing. */
function isEmpty({ headers }: FetchResponse): boolean {
  return headers.get('content-length') === '0'
}

export function malformed(what: string, expected: string): ForgeError {
  return new ForgeError('FORGE_RESPONSE', `${what} answered with something else than was asked for`, { expected })
}

/** What it says may quote what it was sent; its status says enough. */
async function refusedBy(response: FetchResponse, about: string): Promise<ForgeError> {
  await discardBody(response)
  const { status } = response
  const [code, says, hint] = MEANINGS.get(status) ?? (status >= 500 ? AWAY : REFUSES)
  return new ForgeError(code, `${about}: ${says}`, { found: `status ${String(status)}`, hint })
}

type Meaning = readonly [ForgeErrorCode, string, string?]

const REFUSES: Meaning = ['FORGE_REFUSED', 'it is refused']
const AWAY: Meaning = ['FORGE_UNAVAILABLE', 'it cannot answer now', 'Try again later.']
const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [401, ['FORGE_CREDENTIALS', 'the token is not taken', 'It may have expired, or be for another server.']],
  [403, ['FORGE_DENIED', 'the token may not do this', 'It needs the right to read and write variables or secrets.']],
  [404, ['FORGE_NOT_FOUND', 'it is not there, or not for this token']],
  [429, AWAY],
])

/** A token, or another part of a header. @throws {@link ForgeError} FORGE_CREDENTIALS */
export function tokenIn(env: Environment, name: string): string {
  const token = (env[name] ?? '').trim()
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new ForgeError('FORGE_CREDENTIALS', `could not find "${name}"`, {
    expected: `${name}, a token that may write variables or secrets`,
  })
}

/**
 * The address of a server of one's own, without a slash at its end; undefined: none is named.
 * @throws {@link ForgeError} FORGE_CREDENTIALS
 */
export function hostIn(env: Environment, name: string): URL | undefined {
  const text = (env[name] ?? '').trim()
  if (text === '') return undefined
  const address = text.includes('://') ? text : `https://${text}`
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && !url.hash)
    return url
  throw new ForgeError('FORGE_CREDENTIALS', `${name} is not the address of a server`, { expected: 'https://HOST' })
}

/** A path of names, such as `team/app`, which becomes part of an address. @throws {@link ForgeError} FORGE_REFERENCE */
export function namesIn(reference: string, most: number, expected: string): readonly [string, ...string[]] {
  const [first = '', ...rest] = reference.split('/')
  const names = [first, ...rest] as const
  if (names.length <= most && names.every((name) => name.length <= 255 && /^(?!\.+$)[\w.-]+$/.test(name))) return names
  throw new ForgeError('FORGE_REFERENCE', 'this names nothing where a key pair could be', {
    expected,
    found: reference.slice(0, 200),
  })
}
