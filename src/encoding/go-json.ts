/** JSON text exactly as Go's encoding/json writes it: what cosign signs and hashes. @module */

/** A value as Go has it: plain objects stand for structs, which keep their order, and maps for maps, which are sorted. */
export type GoValue =
  | null
  | boolean
  | number
  | string
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [name: string]: GoValue }

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
])

/** Compact JSON with Go's HTML escaping. */
export function stringifyLikeGo(value: GoValue): string {
  return write(value).replace(/[<>&\u2028\u2029]/g, (found) => ESCAPES.get(found) ?? found)
}

function write(value: GoValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map((item) => write(item)).join(',')}]`
  const members = isMap(value) ? [...value].sort(([a], [b]) => compareCodePoints(a, b)) : Object.entries(value)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(',')}}`
}

/**
 * Orders texts by the bytes of their UTF-8, as Go and Python sort; JavaScript sorts by UTF-16, which differs past U+FFFF.
 * Objects cannot carry such an order: JavaScript moves names like `10` to their front.
 */
export function compareCodePoints(a: string, b: string): number {
  const [x, y] = [[...a], [...b]]
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return x.length - y.length
}

function isList(value: object): value is readonly GoValue[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<string, GoValue> {
  return value instanceof Map
}
