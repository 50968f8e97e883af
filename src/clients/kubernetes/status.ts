/** The API server's refusals: `Status` objects, and answers without one. @module */
import { isJsonObject, parseJson, type JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { readText } from '../http/body.js'
import type { FetchResponse } from '../http/fetch.js'
import { printable } from '../http/reason.js'
import { retryAfterMillis } from '../http/retry.js'
import { KubernetesError, type KubernetesErrorCode } from './kubernetes-error.js'

/** A `Status` (meta/v1), as far as a program can use it. */
export interface KubernetesStatus {
  /** The HTTP status. */
  readonly code: number
  /** `NotFound`, `AlreadyExists`, `Conflict`, `Expired`, `Invalid`, …; empty if the server names none. */
  readonly reason: string
  /** As it came, several lines and all: an admission webhook's denial is read by scripts. */
  readonly message: string
  readonly causes: readonly StatusCause[]
  /** How long the server asks to be left alone, in milliseconds. */
  readonly retryAfterMillis: number | undefined
}

export interface StatusCause {
  readonly reason: string
  readonly message: string
  /** `spec.containers[0].image` */
  readonly field: string
}

/** A Status is small, but for validation errors that quote what they refuse. */
const MAX_STATUS = 1024 * 1024

const BY_REASON: ReadonlyMap<string, KubernetesErrorCode> = new Map([
  ['AlreadyExists', 'KUBERNETES_EXISTS'],
  ['Expired', 'KUBERNETES_EXPIRED'],
  ['Gone', 'KUBERNETES_EXPIRED'],
])

const BY_CODE: ReadonlyMap<number, KubernetesErrorCode> = new Map([
  [401, 'KUBERNETES_UNAUTHORIZED'],
  [403, 'KUBERNETES_FORBIDDEN'],
  [404, 'KUBERNETES_NOT_FOUND'],
  [409, 'KUBERNETES_CONFLICT'],
  [410, 'KUBERNETES_EXPIRED'],
  [429, 'KUBERNETES_THROTTLED'],
])

const HINTS: ReadonlyMap<KubernetesErrorCode, string> = new Map([
  ['KUBERNETES_UNAUTHORIZED', 'The token or the client certificate may have expired; log in again.'],
  ['KUBERNETES_FORBIDDEN', 'Give the user or the service account a role that allows it.'],
])

/** The error that a refusal is; reads the body to its end. */
export async function refusal(response: FetchResponse, asked: string): Promise<KubernetesError> {
  const status = await readStatus(response)
  return errorOf(status, asked)
}

/** The error that a Status stands for. `asked` says what was wanted: `get secrets cosign-system/key`. */
export function errorOf(status: KubernetesStatus, asked: string): KubernetesError {
  const code = BY_REASON.get(status.reason) ?? BY_CODE.get(status.code) ?? otherCode(status.code)
  const said = printable(status.message)
  return new KubernetesError(code, `${asked}: ${said === '' ? `status ${String(status.code)}` : said}`, {
    found: `${String(status.code)} ${status.reason}`.trim(),
    hint: HINTS.get(code),
    status,
  })
}

/** A Status object, or undefined if the value is something else. */
export function parseStatus(value: JsonValue, httpStatus: number): KubernetesStatus | undefined {
  if (!isJsonObject(value) || value['kind'] !== 'Status') return undefined
  const { code, reason, message, details } = value
  const { causes, retryAfterSeconds } = isJsonObject(details) ? details : {}
  return {
    code: typeof code === 'number' && code > 0 ? code : httpStatus,
    reason: text(reason),
    message: text(message),
    causes: Array.isArray(causes) ? (causes as readonly JsonValue[]).flatMap(parseCause) : [],
    retryAfterMillis:
      typeof retryAfterSeconds === 'number' && retryAfterSeconds > 0 ? retryAfterSeconds * 1000 : undefined,
  }
}

async function readStatus(response: FetchResponse): Promise<KubernetesStatus> {
  const body = await readBody(response)
  const parsed = parseStatus(tryJson(body), response.status)
  const asked = retryAfterMillis(response.headers.get('retry-after'), NaN)
  if (parsed !== undefined) return { ...parsed, retryAfterMillis: parsed.retryAfterMillis ?? asked }
  // A proxy, a load balancer or the aggregation layer: plain text at best, a page at worst.
  const html = (response.headers.get('content-type') ?? '').includes('html')
  return { code: response.status, reason: '', message: html ? '' : body, causes: [], retryAfterMillis: asked }
}

async function readBody(response: FetchResponse): Promise<string> {
  try {
    return await readText(response, { limit: MAX_STATUS, what: 'a refusal of the API server' })
  } catch (error) {
    // The status alone says enough.
    if (isCodedError(error)) return ''
    throw error
  }
}

function tryJson(body: string): JsonValue {
  try {
    return parseJson(body)
  } catch (error) {
    if (isCodedError(error)) return null
    throw error
  }
}

function parseCause(value: JsonValue): readonly StatusCause[] {
  if (!isJsonObject(value)) return []
  return [{ reason: text(value['reason']), message: text(value['message']), field: text(value['field']) }]
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function otherCode(status: number): KubernetesErrorCode {
  return status >= 500 ? 'KUBERNETES_UNAVAILABLE' : status >= 400 ? 'KUBERNETES_INVALID' : 'KUBERNETES_ANSWER'
}
