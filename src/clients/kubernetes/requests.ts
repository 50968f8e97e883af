/** One request to the Kubernetes API and what becomes of its answer. @module */
import type { JsonValue } from '#encoding/json'
import { readJson } from '../http/body.js'
import type { Fetch, FetchInit, FetchResponse } from '../http/fetch.js'
import type { ApplyOptions, WriteOptions } from './api.js'
import { MAX_NESTING, parseObject, type KubernetesObject } from './object.js'
import { query } from './paths.js'
import { refusal } from './status.js'
import { parseWarnings } from './warnings.js'

/** A page of 500 objects of the largest size would be more; then the list is refused rather than the memory filled. */
const MAX_ANSWER = 256 * 1024 * 1024

/** A request that is named in errors: `get secrets team-a/key`. */
export interface AskedRequest extends FetchInit {
  readonly asked: string
  /** Levels that the answer may be nested, where it is objects, which are looked at one by one ({@link parseObject}). */
  readonly depth?: number
}

export interface WriteRequest {
  readonly asked: string
  readonly path: string
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly type?: string
  readonly body: JsonValue
  readonly options: WriteOptions | ApplyOptions
  readonly repeatable?: boolean
}

/**
 * Sends a request.
 * @throws KubernetesError for a status of 400 and above
 */
export async function ask(
  fetch: Fetch,
  path: string,
  { asked, depth: _, ...init }: AskedRequest,
): Promise<FetchResponse> {
  const response = await fetch(path, { ...init, headers: { accept: 'application/json', ...init.headers } })
  if (response.status >= 400) throw await refusal(response, asked)
  return response
}

/** As {@link ask}, for the JSON that it is answered with. */
export async function askJson(fetch: Fetch, path: string, request: AskedRequest): Promise<JsonValue> {
  return await readJson(await ask(fetch, path, request), {
    limit: MAX_ANSWER,
    what: request.asked,
    ...(request.depth !== undefined && { depth: request.depth }),
  })
}

/** Sends an object and gives it back as it was stored. */
export async function write(fetch: Fetch, request: WriteRequest): Promise<KubernetesObject> {
  const { asked, path, method, type = 'application/json', body, options, repeatable } = request
  const response = await ask(fetch, `${path}${writeQuery(options)}`, {
    asked,
    ...jsonBody(method, body, type),
    ...abortable(options.signal),
    ...(repeatable !== undefined && { repeatable }),
  })
  const { onWarning } = options
  if (onWarning !== undefined) parseWarnings(response.headers.get('warning')).forEach(onWarning)
  return parseObject(await readJson(response, { limit: MAX_ANSWER, what: asked, depth: MAX_NESTING }), asked)
}

export function jsonBody(method: string, body: JsonValue, type = 'application/json'): FetchInit {
  return { method, headers: { 'content-type': type }, body: JSON.stringify(body) }
}

export function abortable(signal: AbortSignal | undefined): FetchInit {
  return signal === undefined ? {} : { signal }
}

function writeQuery(options: WriteOptions | ApplyOptions): string {
  return query({
    dryRun: options.dryRun === true ? 'All' : undefined,
    fieldValidation: options.strict === true ? 'Strict' : undefined,
    fieldManager: options.fieldManager,
    force: 'force' in options ? options.force : undefined,
  })
}
