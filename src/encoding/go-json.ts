/** JSON text exactly as Go's encoding/json writes it: what cosign signs and hashes. @module */
import type { JsonValue } from './json.js'

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
])

/**
 * Compact JSON with Go's HTML escaping. Objects are written in the order of their members, as Go does with structs;
 * see {@link sortedObject} for what Go does with maps.
 */
export function stringifyLikeGo(value: JsonValue): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (found) => ESCAPES.get(found) ?? found)
}

/** A copy with members in the order of Go's maps: by the bytes of their UTF-8 names. */
export function sortedObject<T extends JsonValue>(object: Readonly<Record<string, T>>): Record<string, T> {
  const order = (a: string, b: string): number => {
    const [x, y] = [[...a], [...b]]
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      const difference = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0)
      if (difference !== 0) return difference
    }
    return x.length - y.length
  }
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => order(a, b)))
}
