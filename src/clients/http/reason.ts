/** Why a service says no, fit to be shown. @module */
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '#encoding/json'
import { readText } from './body.js'
import type { FetchResponse } from './fetch.js'

const LIMIT = 64 * 1024
const SHOWN = 300

/**
 * The reason in an error answer: a JSON `message`, `error_description` or `error`, the `errors` of a registry, or the
 * start of a plain text. Control characters go (they could repaint a terminal), and so does whatever looks like a token.
 */
export async function readReason(response: FetchResponse): Promise<string> {
  const status = `status ${String(response.status)}`
  let text: string
  try {
    text = await readText(response, { limit: LIMIT, what: 'an error answer' })
  } catch {
    return status
  }
  const reason = printable(reasonOf(text, response.headers.get('content-type') ?? ''))
  return reason === '' ? status : `${status}: ${reason}`
}

/** Text from elsewhere, made harmless: one line, no control characters, no tokens, not long. */
export function printable(text: string): string {
  const line = text
    .replace(/eyJ[\w-]{8,}\.[\w-]*\.?[\w-]*/g, '(token)')
    .replace(/\b(Bearer|Basic)\s+\S+/gi, '$1 (secret)')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\s]+/g, ' ')
    .trim()
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}

function reasonOf(text: string, contentType: string): string {
  let value: JsonValue
  try {
    value = parseJson(text)
  } catch {
    return contentType.includes('html') ? '' : text
  }
  return typeof value === 'string' ? value : fromObject(value)
}

function fromObject(value: JsonValue): string {
  if (!isJsonObject(value)) return ''
  const named = ['message', 'error_description', 'detail', 'error'].map((name) => value[name])
  const first = named.find((member) => typeof member === 'string' && member !== '')
  if (typeof first === 'string') return [first, ...detailsOf(value)].join(': ')
  // OCI distribution-spec, "Error Codes".
  const { errors } = value
  return Array.isArray(errors) ? (errors as readonly JsonValue[]).slice(0, 3).map(registryError).join('; ') : ''
}

/** What stands behind a fixed sentence: google.rpc.ErrorInfo, which gRPC gateways pass on. */
function detailsOf({ details }: JsonObject): readonly string[] {
  if (!Array.isArray(details)) return []
  return (details as readonly JsonValue[]).slice(0, 3).flatMap((detail) => {
    const metadata = isJsonObject(detail) ? detail['metadata'] : undefined
    const message = isJsonObject(metadata) ? metadata['message'] : undefined
    return typeof message === 'string' && message !== '' ? [message] : []
  })
}

function registryError(error: JsonValue): string {
  if (!isJsonObject(error)) return ''
  const parts = [error['code'], error['message']].filter(
    (part): part is string => typeof part === 'string' && part !== '',
  )
  return [...new Set(parts)].join(': ')
}
