/** The JSON Canonicalization Scheme (RFC 8785). @module */
import { EncodingError } from './encoding-error.js'
import type { JsonValue } from './json.js'

/**
 * The one canonical text of a JSON value. Members with the value undefined are left out.
 * @throws {@link EncodingError} JCS for a lone surrogate (§3.2.2.2) or a number that JSON cannot write (§3.2.2.3).
 */
export function canonicalize(value: JsonValue | undefined): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new EncodingError('JCS', 'a number has no JSON form', { found: String(value) })
    return JSON.stringify(value)
  }
  if (value === undefined) throw new EncodingError('JCS', 'undefined has no JSON form')
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => canonicalize(item)).join(',')}]`
  const members = Object.entries(value).filter(([, member]) => (member as JsonValue | undefined) !== undefined)
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) // by UTF-16 code units, as §3.2.3 asks
  return `{${members.map(([name, member]) => `${canonicalString(name)}:${canonicalize(member)}`).join(',')}}`
}

function canonicalString(text: string): string {
  // Written with a lookaround-free test: a high surrogate without its low one, or a low one alone.
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?:[^\uD800-\uDBFF]|^)[\uDC00-\uDFFF]/.test(text)) {
    throw new EncodingError('JCS', 'a text holds half a character (a lone surrogate)')
  }
  return JSON.stringify(text)
}
