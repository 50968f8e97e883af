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
  readonly values?: number
  /** Levels of nesting. More than the usual number only where {@link isNestedDeeper} is asked before anybody walks the value. */
  readonly depth?: number
}

/**
 * Reads JSON. Nesting is bounded, since every consumer walks values recursively, and a name stands once in an object: of two, one
 * reader takes the first and another the last, and what was verified would not be what is used (RFC 7493 §2.3).
 * @throws {@link EncodingError} JSON or UTF8
 */
export function parseJson(source: string | Uint8Array, limits?: JsonLimits): JsonValue {
  const text = typeof source === 'string' ? source : decodeUtf8(source)
  if (limits?.values !== undefined && hasMoreValues(text, limits.values)) {
    throw new EncodingError('JSON', 'JSON has too many values', { expected: `at most ${String(limits.values)}` })
  }
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    // The engine's message quotes the text, which may hold a secret.
    throw new EncodingError('JSON', 'not JSON text', { found: `${String(text.length)} characters` })
  }
  checkShape(text, limits?.depth ?? MAX_DEPTH)
  return value
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [BRACKET, BRACE] = [0x5b, 0x7b]
const [END_BRACKET, END_BRACE] = [0x5d, 0x7d]

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

/** Where the string that begins at a quote has its other one; the end of a text that is not JSON. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  return text.length
}

/** Whether a value is an object with members, not an array or null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value has more levels than that. It walks without recursion, whatever the value is. */
export function isNestedDeeper(value: JsonValue, levels: number): boolean {
  const open: { readonly value: JsonValue; readonly level: number }[] = [{ value, level: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    const level = next.level + 1
    if (level > levels) return true
    for (const inner of Object.values(next.value) as readonly JsonValue[]) open.push({ value: inner, level })
  }
  return false
}

/**
 * Bounds the depth and looks for names that stand twice, in a text that is known to be JSON. Strings, which are most of any text,
 * are skipped from quote to quote.
 */
function checkShape(text: string, maxDepth: number): void {
  /** The names of the objects around, innermost last; undefined for a list. */
  const around: (Set<string> | undefined)[] = []
  let names: Set<string> | undefined
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at)
        if (expectsName && names !== undefined) {
          addName(names, text.slice(at + 1, end))
          expectsName = false
        }
        at = end
        break
      }
      case BRACE:
        around.push(names)
        names = new Set()
        expectsName = true
        break
      case BRACKET:
        around.push(names)
        names = undefined
        break
      case END_BRACE:
      case END_BRACKET:
        names = around.pop()
        break
      case COMMA:
        expectsName = names !== undefined
        break
      default: // white space, colons, numbers and literals
        continue
    }
    if (around.length > maxDepth) throw tooDeep(maxDepth)
  }
}

function tooDeep(maxDepth: number): EncodingError {
  return new EncodingError('JSON', 'JSON is nested too deeply', { expected: `at most ${String(maxDepth)} levels` })
}

/** @throws EncodingError if it is there */
function addName(names: Set<string>, spelled: string): void {
  // The same name can be spelled with escapes and without.
  const name = spelled.includes('\\') ? (JSON.parse(`"${spelled}"`) as string) : spelled
  if (names.has(name)) {
    throw new EncodingError('JSON', 'a name stands twice in one JSON object', {
      expected: 'each name once',
      found: name.slice(0, 60),
    })
  }
  names.add(name)
}
