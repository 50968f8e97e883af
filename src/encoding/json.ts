/** JSON text to values, with a bound on depth. @module */
import { EncodingError } from './encoding-error.js'
import { decodeUtf8 } from './utf8.js'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue
}

const MAX_DEPTH = 200

/**
 * Reads JSON. Nesting is bounded, since every consumer walks values recursively.
 * @throws {@link EncodingError} JSON or UTF8
 */
export function parseJson(source: string | Uint8Array): JsonValue {
  const text = typeof source === 'string' ? source : decodeUtf8(source)
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

/** Whether a value is an object with members, not an array or null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDeeper(root: JsonValue, limit: number): boolean {
  let level: readonly JsonValue[] = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
  }
  return false
}
