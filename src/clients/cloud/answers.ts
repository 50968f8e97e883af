/** Answers of the clouds' token services. @module */
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import type { UnixMillis } from '#time'
import { readJson, readText } from '../http/body.js'
import type { FetchInit, FetchResponse } from '../http/fetch.js'
import { CloudError } from './cloud-error.js'

const LIMIT = 64 * 1024

/** Which refusals mean that a person has to log in again, and how they do. */
export interface Renewal {
  /** Codes of the service, or statuses. */
  readonly refusals: ReadonlySet<string>
  readonly hint: string
}

/** @throws CloudError CLOUD_CREDENTIALS unless it is a JSON object with status 200; CLOUD_LOGIN_EXPIRED for such refusals */
export async function readObject(response: FetchResponse, what: string, renewal?: Renewal): Promise<JsonObject> {
  if (response.status !== 200) throw await refusedBy(response, what, renewal)
  const answer = await readJson(response, { limit: LIMIT, what: `the answer of ${what}` })
  if (isJsonObject(answer)) return answer
  throw new CloudError('CLOUD_CREDENTIALS', `${what} answered without credentials`, { expected: 'a JSON object' })
}

/** The text of an answer with status 200. @throws CloudError CLOUD_CREDENTIALS */
export async function readAnswer(response: FetchResponse, what: string): Promise<string> {
  if (response.status !== 200) throw await refusedBy(response, what)
  return await readText(response, { limit: LIMIT, what: `the answer of ${what}` })
}

/**
 * A secret in an answer: of printable characters, since it may become part of a header.
 * @throws CloudError CLOUD_CREDENTIALS
 */
export function secretIn(answer: JsonObject, name: string, what: string): string {
  const value = answer[name]
  if (isSecret(value)) return value
  throw new CloudError('CLOUD_CREDENTIALS', `${what} answered without credentials`, { expected: name })
}

export function isSecret(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}

/** `expires_in`, in seconds; undefined if it is not said. */
export function expiryIn({ expires_in: seconds }: JsonObject, now: UnixMillis): UnixMillis | undefined {
  return typeof seconds === 'number' && seconds > 0 ? now + seconds * 1000 : undefined
}

/** A form, as token services take it. What is in it is for them alone, so that no redirect is followed. */
export function postOf(form: URLSearchParams, headers: Readonly<Record<string, string>> = {}): FetchInit {
  const typed = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...headers }
  return { method: 'POST', headers: typed, body: form.toString(), repeatable: true, redirect: 'error' }
}

/** What it says may quote what it was sent, so only the code that services put first is passed on. */
async function refusedBy(response: FetchResponse, what: string, renewal?: Renewal): Promise<CloudError> {
  const status = String(response.status)
  const text = await readText(response, { limit: LIMIT, what: `the answer of ${what}` })
  const [, said = ''] = /(?:"(?:__type|code|error|status)"\s*:\s*"|<Code>)([\w.#-]{1,80})/.exec(text) ?? []
  const code = said.slice(said.lastIndexOf('#') + 1)
  const found = `status ${status}${code === '' ? '' : `, ${code}`}`
  if (renewal !== undefined && (renewal.refusals.has(code) || renewal.refusals.has(status)))
    return new CloudError('CLOUD_LOGIN_EXPIRED', `${what} no longer takes the login`, { found, hint: renewal.hint })
  return new CloudError('CLOUD_CREDENTIALS', `${what} gives no credentials`, {
    found,
    hint: 'look at what the identity that this runs as may do',
  })
}
