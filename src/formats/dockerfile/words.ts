/** Words and flags of an instruction, apart by space outside of quotes (moby/buildkit, frontend/dockerfile/parser). @module */

const SPACE = /[\t\v\f\r ]/

/** The words of a line, quotes and escapes still in them. */
export function splitWords(text: string, escape: string): readonly string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote === '' && SPACE.test(char)) {
      if (word !== '') words.push(word)
      word = ''
      continue
    }
    word += char
    if (char === escape && quote !== "'") {
      at += 1
      word += text.charAt(at)
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
  }
  if (word !== '') words.push(word)
  return words
}

/** The flags that an instruction begins with. */
export interface Flagged {
  /** `--name=value`, without quotes. */
  readonly flags: readonly string[]
  /** What follows them. */
  readonly rest: string
}

/** Takes `--name=value` words from the front; `--` alone ends them. */
export function takeFlags(text: string, escape: string): Flagged {
  const flags: string[] = []
  let rest = text.trimStart()
  while (rest.startsWith('--')) {
    const { word, length } = flagWord(rest, escape)
    rest = rest.slice(length).trimStart()
    if (word === '--') break
    flags.push(word)
  }
  return { flags, rest }
}

function flagWord(text: string, escape: string): { readonly word: string; readonly length: number } {
  let word = ''
  let quote = ''
  let at = 0
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote === '' && SPACE.test(char)) break
    if (char === escape) {
      at += 1
      word += text.charAt(at)
    } else if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else word += char
  }
  return { word, length: at }
}
