/** JSON text to values, with a bound on depth. @module */
import { EncodingError } from './encoding-error.js'
import { decodeUtf8 } from './utf8.js'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue
}

const MAX_DEPTH = 200

/** How much a text may hold. */
export interface JsonLimits {
  /** Members and elements, all together: a hundred megabytes of `[]` would fill the memory many times over. */
  readonly values: number
}

/**
 * Reads JSON. Nesting is bounded, since every consumer walks values recursively.
 * @throws {@link EncodingError} JSON or UTF8
 */
export function parseJson(source: string | Uint8Array, limits?: JsonLimits): JsonValue {
  const text = typeof source === 'string' ? source : decodeUtf8(source)
  if (limits !== undefined && hasMoreValues(text, limits.values)) {
    throw new EncodingError('JSON', 'JSON has too many values', { expected: `at most ${String(limits.values)}` })
  }
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    // The engine's message quotes the text, which may hold a secret.
    throw new EncodingError('JSON', 'not JSON text', { found: `${String(text.length)} characters` })
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new EncodingError('JSON', 'JSON is nested too deeply', { expected: `at most ${String(MAX_DEPTH)} levels` })
  }
  return value
}

/**
 * Reads JSON that may be read by others, too, who need not agree on which of two members of one name counts.
 * @throws {@link EncodingError} JSON, also for such a text; UTF8
 */
export function parseUnambiguousJson(source: string | Uint8Array): JsonValue {
  const text = typeof source === 'string' ? source : decodeUtf8(source)
  const value = parseJson(text)
  // Every member has its colon, and of two members with one name only one is left in the value.
  if (countColons(text) === countMembers(value)) return value
  throw new EncodingError('JSON', 'JSON has an object with two members of one name')
}

const [QUOTE, COLON, BACKSLASH, COMMA] = [0x22, 0x3a, 0x5c, 0x2c]
const [BRACKET, BRACE] = [0x5b, 0x7b]

/** A value begins with a bracket or a brace, or stands behind a comma; strings are skipped, however long. */
function hasMoreValues(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if ((code === COMMA || code === BRACKET || code === BRACE) && ++values > limit) return true
  }
  return false
}

/** Colons outside of strings. The text is known to be JSON. */
function countColons(text: string): number {
  let colons = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COLON) colons++
    if (code === QUOTE) at = endOfString(text, at)
  }
  return colons
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}

function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  let count = Array.isArray(value) ? 0 : members.length
  for (const member of members) count += countMembers(member)
  return count
}

/** Whether a value is an object with members, not an array or null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Recursion ends at the limit, however deep the value is. */
function isDeeper(value: JsonValue, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0
  const members: readonly JsonValue[] = Array.isArray(value) ? (value as readonly JsonValue[]) : Object.values(value)
  return members.some((member) => isDeeper(member, limit - 1))
}
