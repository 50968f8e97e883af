/** OLPC canonical JSON, over which TUF metadata is signed. It is not JCS, and its texts need not even be JSON. @module */
import { compareCodePoints } from '#encoding/go-json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { TufError } from './tuf-error.js'

/**
 * The bytes to be signed: no white space, members sorted, texts with only quotation mark and backslash escaped, and no numbers
 * but integers.
 * @throws TufError `TUF_CANONICAL` for a number that has no canonical form
 */
export function canonicalTufJson(value: JsonValue): Uint8Array {
  return encodeUtf8(write(value))
}

function write(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return writeText(value)
  if (typeof value === 'number') {
    // A larger integer would already have been rounded when it was read.
    if (Number.isSafeInteger(value)) return String(value)
    throw new TufError('TUF_CANONICAL', 'the metadata has a number without canonical form', {
      expected: 'integers',
      found: String(value),
    })
  }
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => write(item)).join(',')}]`
  const members = Object.entries(value as JsonObject).sort(([a], [b]) => compareCodePoints(a, b))
  return `{${members.map(([name, member]) => `${writeText(name)}:${write(member)}`).join(',')}}`
}

function writeText(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
