/** A command line without a shell: words between spaces, quotes around those that have some in them. @module */

/**
 * The words, or undefined if only a shell could make something of them: a quote that does not end, variables, pipes, `~`. To run
 * them as plain words would be another command than was meant.
 */
export function splitCommand(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let rest = text
  while (rest !== '') {
    const [part = '', space, single, double, plain] = PART.exec(rest) ?? []
    if (part === '') return undefined
    rest = rest.slice(part.length)
    if (space !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      if (word === undefined && plain?.startsWith('~') === true) return undefined
      word = (word ?? '') + (single ?? (double ?? plain ?? '').replace(/\\(.)/gs, '$1'))
    }
  }
  return word === undefined ? words : [...words, word]
}

/** Spaces; what stands between quotes; what stands without any, a backslash before what it would else mean something. */
const PART = /^(?:([ \t]+)|'([^'\n]*)'|"((?:[^"\\$`\n]|\\["\\$`])*)"|((?:[^\s'"\\$`|&;<>()*?[\]{}#!\n]|\\[^\n])+))/
