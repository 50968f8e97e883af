/** Answers of the clouds' token services. @module */
import { isJsonObject, type JsonObject } from '#encoding/json'
import { readJson, readText } from '../http/body.js'
import type { FetchResponse } from '../http/fetch.js'
import { CloudError } from './cloud-error.js'

const LIMIT = 64 * 1024

/** @throws CloudError CLOUD_CREDENTIALS unless it is a JSON object with status 200 */
export async function readObject(response: FetchResponse, what: string): Promise<JsonObject> {
  if (response.status !== 200) throw await refusedBy(response, what)
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
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value
  throw new CloudError('CLOUD_CREDENTIALS', `${what} answered without credentials`, { expected: name })
}

/** What it says may quote what it was sent, so only the code that services put first is passed on. */
async function refusedBy(response: FetchResponse, what: string): Promise<CloudError> {
  const text = await readText(response, { limit: LIMIT, what: `the answer of ${what}` })
  const [, code = ''] = /(?:"(?:__type|code|error)"\s*:\s*"|<Code>)([\w.#-]{1,80})/.exec(text) ?? []
  return new CloudError('CLOUD_CREDENTIALS', `${what} gives no credentials`, {
    found: `status ${String(response.status)}${code === '' ? '' : `, ${code}`}`,
    hint: 'look at what the identity that this runs as may do',
  })
}
