/** Kyverno's wildcards: `*` any characters, `?` exactly one, everything else itself. @module */
const SPECIAL = /[\\^$.|+()[\]{}]/g

/** The pattern that matches, as a whole, what the wildcard text matches. */
export function wildcardPattern(wildcard: string): string {
  return wildcard.replace(SPECIAL, '\\$&').replace(/\*+|\?/g, (found) => (found === '?' ? '(?s:.)' : '(?s:.*)'))
}
