/** Variables in a word of a Dockerfile, and its quotes (moby/buildkit, frontend/dockerfile/shell/lex.go). @module */
import { DockerfileError } from './dockerfile-error.js'

/** The value of a variable; undefined if it has none. */
export type Variables = (name: string) => string | undefined

/** What is substituted where. */
export interface Substitution {
  readonly variables: Variables
  readonly escape: string
  /** For messages. */
  readonly line: number
}

/** Longer than any name of an image; values can name one another, and double each time. */
const MAX_VALUE = 4096
/** `${a:-${b:-…}}` */
const MAX_DEPTH = 16

/**
 * The word with values in place of variables and without quotes. A variable without a value is an error, unless the word itself says
 * what is to stand in its place.
 * @throws DockerfileError `DOCKERFILE_VARIABLE`, `DOCKERFILE_LIMIT`
 */
export function substitute(word: string, substitution: Substitution): string {
  return new WordReader(word, substitution).text('', 0)
}

/** Of a variable, or one of the shell's own. */
const NAME = /[A-Za-z_][A-Za-z0-9_]*|\d+|[@*#?\-$!]/y

class WordReader {
  #at = 0
  readonly #word: string
  readonly #substitution: Substitution

  constructor(word: string, substitution: Substitution) {
    this.#word = word
    this.#substitution = substitution
  }

  /** Up to the stop, which is read as well; an empty one is the end of the word. */
  text(stop: string, depth: number): string {
    if (depth > MAX_DEPTH) throw this.#unusable('is nested too deeply', `at most ${String(MAX_DEPTH)} levels`)
    let text = ''
    while (this.#at < this.#word.length) {
      if (text.length > MAX_VALUE) break
      const char = this.#next()
      if (char === stop) return text
      if (char === "'") text += this.#singleQuoted()
      else if (char === '"') text += this.#doubleQuoted(depth)
      else if (char === '$') text += this.#variable(depth)
      else if (char === this.#substitution.escape) text += this.#next()
      else text += char
    }
    if (text.length > MAX_VALUE) throw this.#tooMuch()
    if (stop === '') return text
    throw this.#unusable('does not end', stop)
  }

  #next(): string {
    return this.#word.charAt(this.#at++)
  }

  #singleQuoted(): string {
    const end = this.#word.indexOf("'", this.#at)
    if (end < 0) throw this.#unusable('does not end', "'")
    const text = this.#word.slice(this.#at, end)
    this.#at = end + 1
    return text
  }

  #doubleQuoted(depth: number): string {
    const { escape } = this.#substitution
    let text = ''
    while (this.#at < this.#word.length) {
      if (text.length > MAX_VALUE) throw this.#tooMuch()
      const char = this.#next()
      if (char === '"') return text
      if (char === '$') text += this.#variable(depth)
      else if (char === escape) {
        const escaped = this.#next()
        text += escaped === '"' || escaped === '$' || escaped === escape ? escaped : escape + escaped
      } else text += char
    }
    throw this.#unusable('does not end', '"')
  }

  #variable(depth: number): string {
    if (this.#word.charAt(this.#at) !== '{') {
      const name = this.#name()
      return name === '' ? '$' : this.#value(name)
    }
    this.#at += 1
    const name = this.#name()
    if (name === '') throw this.#unusable('has no name', '${NAME}')
    const first = this.#next()
    if (first === '}') return this.#value(name)
    const emptyIsSet = first !== ':'
    const modifier = emptyIsSet ? first : this.#next()
    const value = this.#substitution.variables(name)
    const isSet = value !== undefined && (emptyIsSet || value !== '')
    // The other word is read in any case, since what follows it must be; what stands in it only counts where it is taken.
    if (modifier === '-') return isSet ? this.#skip(value, depth) : this.text('}', depth + 1)
    if (modifier === '+') return isSet ? this.text('}', depth + 1) : this.#skip('', depth)
    if (modifier === '?') return isSet ? this.#skip(value, depth) : this.#value('')
    throw this.#unusable(`has the modifier ${JSON.stringify(modifier)}`, '${NAME}, or with one of :- - :+ + :? ?')
  }

  /** Goes behind the brace that ends the modifier, whatever variables are before it. */
  #skip(value: string, depth: number): string {
    const blind = new WordReader(this.#word, { ...this.#substitution, variables: () => 'set' })
    blind.#at = this.#at
    blind.text('}', depth + 1)
    this.#at = blind.#at
    return value
  }

  #name(): string {
    NAME.lastIndex = this.#at
    const [name = ''] = NAME.exec(this.#word) ?? []
    this.#at += name.length
    return name
  }

  #value(name: string): string {
    const value = name === '' ? undefined : this.#substitution.variables(name)
    if (value !== undefined) return value
    throw new DockerfileError(
      'DOCKERFILE_VARIABLE',
      `line ${String(this.#substitution.line)} of the Dockerfile has a variable without a value`,
      {
        expected: name === '' ? 'a value' : `a value for ${name}`,
        found: this.#word.slice(0, 200),
        hint: 'ARG before the first FROM can give it one, and so can the environment',
      },
    )
  }

  #tooMuch(): DockerfileError {
    const { line } = this.#substitution
    return new DockerfileError('DOCKERFILE_LIMIT', `line ${String(line)} of the Dockerfile unfolds to too much`, {
      expected: `at most ${String(MAX_VALUE)} characters`,
    })
  }

  #unusable(what: string, expected: string): DockerfileError {
    return new DockerfileError(
      'DOCKERFILE_VARIABLE',
      `line ${String(this.#substitution.line)} of the Dockerfile has a word that ${what}`,
      { expected, found: this.#word.slice(0, 200) },
    )
  }
}
