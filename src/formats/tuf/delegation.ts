/** Which delegated roles may speak for a target path (specification 1.0, §4.5). @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { Delegation } from './model.js'

/** Whether a delegation covers a path. `*` and `?` in patterns match within one part of a path. */
export function isDelegated({ paths, pathHashPrefixes }: Delegation, path: string): boolean {
  if (pathHashPrefixes !== undefined) {
    const hash = encodeHex(sha256(encodeUtf8(path)))
    return pathHashPrefixes.some((prefix) => hash.startsWith(prefix))
  }
  return paths?.some((pattern) => matches(pattern, path)) ?? false
}

function matches(pattern: string, path: string): boolean {
  const [patternParts, pathParts] = [pattern.split('/'), path.split('/')]
  return (
    patternParts.length === pathParts.length &&
    patternParts.every((part, index) => matchesPart(part, pathParts[index] ?? ''))
  )
}

/** Linear in time: a star remembers only where to go on after a mismatch. */
function matchesPart(pattern: string, text: string): boolean {
  let [p, t, star, resume] = [0, 0, -1, 0]
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++
      resume = t
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++resume
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
