/** JSON text to values, with a bound on depth. @module */
import { EncodingError } from './encoding-error.js'
import { decodeUtf8 } from './utf8.js'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [name: string]: JsonValue
}

const MAX_DEPTH = 200

/**
 * Reads JSON. Nesting is bounded, since every consumer walks values recursively, and a name stands once in an object: of two, one
 * reader takes the first and another the last, and what was verified would not be what is used (RFC 7493 §2.3).
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
  checkShape(text)
  return value
}

/** Whether a value is an object with members, not an array or null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Bounds the depth and looks for names that stand twice, in a text that is known to be JSON. Strings, which are most of any text,
 * are skipped from quote to quote.
 */
function checkShape(text: string): void {
  /** The names of the objects around, innermost last; undefined for a list. */
  const around: (Set<string> | undefined)[] = []
  let names: Set<string> | undefined
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at)
        if (expectsName && names !== undefined) {
          addName(names, text.slice(at + 1, end))
          expectsName = false
        }
        at = end
        break
      }
      case 0x7b:
        around.push(names)
        names = new Set()
        expectsName = true
        break
      case 0x5b:
        around.push(names)
        names = undefined
        break
      case 0x7d:
      case 0x5d:
        names = around.pop()
        break
      case 0x2c:
        expectsName = names !== undefined
        break
      default: // white space, colons, numbers and literals
        continue
    }
    if (around.length > MAX_DEPTH) throw tooDeep()
  }
}

function tooDeep(): EncodingError {
  return new EncodingError('JSON', 'JSON is nested too deeply', { expected: `at most ${String(MAX_DEPTH)} levels` })
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

/** Where the string that begins at a quote has its other one. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++
    if (backslashes % 2 === 0) return end
  }
}
