/** What can be said of JSON text without reading its values: strings, which are most of any text, are skipped from quote to quote. @module */
import { EncodingError } from './encoding-error.js'

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [BRACKET, BRACE] = [0x5b, 0x7b]
const [END_BRACKET, END_BRACE] = [0x5d, 0x7d]

/** Whether a text, JSON or not, has more values than that: one begins with a bracket or a brace, or stands behind a comma. */
export function hasMoreValues(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if ((code === COMMA || code === BRACKET || code === BRACE) && ++values > limit) return true
  }
  return false
}

/**
 * How many names the objects of a text have that is known to be JSON; one that stands twice counts twice.
 * @throws {@link EncodingError} JSON if it is nested more deeply than that
 */
export function countNames(text: string, maxDepth: number): number {
  let names = 0
  let depth = 0
  walk(text, {
    open: () => {
      if (++depth > maxDepth) throw tooDeep(maxDepth)
    },
    name: () => {
      names++
    },
    close: () => {
      depth--
    },
  })
  return names
}

/** A name that stands twice in one object of a text that is known to be JSON; empty if there is none. */
export function duplicateName(text: string): string {
  const around: Set<string>[] = []
  let twice: string | undefined
  walk(text, {
    open: () => around.push(new Set()),
    name: (start, end) => {
      // The same name can be spelled with escapes and without.
      const name = JSON.parse(text.slice(start, end)) as string
      const names = around.at(-1)
      if (names?.has(name) === true) twice ??= name
      names?.add(name)
    },
    close: () => around.pop(),
  })
  return twice ?? ''
}

interface Visitor {
  /** An object or a list begins. */
  readonly open: () => void
  /** A member of the innermost object; where its name stands, quotes included. */
  readonly name: (start: number, end: number) => void
  readonly close: () => void
}

function walk(text: string, { open, name, close }: Visitor): void {
  /** Whether what is around is an object, innermost last. */
  const around: boolean[] = []
  let inObject = false
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      if (expectsName) name(at, end + 1)
      expectsName = false
      at = end
    } else if (code === BRACE || code === BRACKET) {
      open()
      around.push(inObject)
      inObject = expectsName = code === BRACE
    } else if (code === END_BRACE || code === END_BRACKET) {
      close()
      inObject = around.pop() ?? false
      expectsName = false
    } else if (code === COMMA) expectsName = inObject
  }
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

function tooDeep(maxDepth: number): EncodingError {
  return new EncodingError('JSON', 'JSON is nested too deeply', { expected: `at most ${String(maxDepth)} levels` })
}
