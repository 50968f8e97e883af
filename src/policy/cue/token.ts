/** CUE source text to tokens (CUE language specification, "Lexical elements"). @module */
import { CueError, unsupported } from './cue-error.js'

/** A piece of source text. Strings come decoded; interpolated strings carry the tokens of their expressions. */
export type Token =
  | { readonly kind: 'name' | 'operator' | 'int' | 'float'; readonly text: string; readonly line: number }
  | { readonly kind: 'string'; readonly parts: readonly StringPart[]; readonly line: number }
  | { readonly kind: 'end'; readonly line: number }

export type StringPart = string | readonly Token[]

const OPERATORS = [
  '...',
  '==',
  '!=',
  '<=',
  '>=',
  '=~',
  '!~',
  '&&',
  '||',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '.',
  '|',
  '&',
  '<',
  '>',
  '=',
  '!',
  '?',
  '+',
  '-',
  '*',
  '/',
  ';',
] as const // longest first

// After these a line break ends the declaration, as if a comma stood there.
const ENDING = new Set([')', ']', '}', '?', '!', '...'])
const NAME = /_\|_|(?:_?#)?[\p{L}$_][\p{L}\p{Nd}$_]*/uy
const NUMBER =
  /0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*\.?(?:[eE][+-]?\d+)?(?:[KMGTP]i?)?/y
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['/', '/'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
])

/** @throws {@link CueError} CUE_SYNTAX or CUE_UNSUPPORTED */
export function tokenize(source: string): readonly Token[] {
  return new Lexer(source).all()
}

class Lexer {
  readonly #source: string
  #at = 0
  #line = 1

  constructor(source: string) {
    this.#source = source
  }

  all(): readonly Token[] {
    const tokens: Token[] = []
    for (let token = this.#next(tokens.at(-1)); ; token = this.#next(tokens.at(-1))) {
      tokens.push(token)
      if (token.kind === 'end') return tokens
    }
  }

  #next(previous: Token | undefined): Token {
    if (this.#skipBlank() && endsDeclaration(previous)) return { kind: 'operator', text: ',', line: this.#line }
    const line = this.#line
    if (this.#at >= this.#source.length) return { kind: 'end', line }
    const quote = /#*(?:"""|'''|"|')/y
    quote.lastIndex = this.#at
    const opening = quote.exec(this.#source)?.[0]
    if (opening !== undefined) return this.#string(opening)
    const number = this.#match(NUMBER)
    if (number !== undefined) return numberToken(number, line)
    const name = this.#match(NAME)
    if (name !== undefined) return { kind: 'name', text: name, line }
    const operator = OPERATORS.find((text) => this.#source.startsWith(text, this.#at))
    if (operator === undefined) throw this.#unknown()
    this.#at += operator.length
    return { kind: 'operator', text: operator, line }
  }

  /** Passes over blanks and comments. Returns whether a line ended, or the text. */
  #skipBlank(): boolean {
    let broke = false
    for (; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at]
      if (character === '/' && this.#source[this.#at + 1] === '/') {
        while (this.#at < this.#source.length && this.#source[this.#at] !== '\n') this.#at++
        this.#at--
      } else if (character === '\n') {
        broke = true
        this.#line++
      } else if (character !== ' ' && character !== '\t' && character !== '\r') return broke
    }
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #unknown(): CueError {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0)
    if (character === '@') return unsupported('an attribute (@…)', this.#line)
    return new CueError('CUE_SYNTAX', `line ${String(this.#line)}: an unexpected character`, {
      found: JSON.stringify(character),
    })
  }

  #string(opening: string): Token {
    const line = this.#line
    if (opening.includes("'")) throw unsupported('a bytes literal', line)
    const hashes = opening.replace(/"+$/, '')
    const quotes = opening.slice(hashes.length)
    this.#at += opening.length
    const parts: StringPart[] = []
    let text = ''
    const escape = `\\${hashes}`
    const closing = quotes + hashes
    for (;;) {
      if (this.#at >= this.#source.length || (quotes === '"' && this.#source[this.#at] === '\n')) {
        throw new CueError('CUE_SYNTAX', `line ${String(line)}: a string does not end`)
      }
      if (this.#source.startsWith(closing, this.#at)) break
      if (!this.#source.startsWith(escape, this.#at)) {
        if (this.#source[this.#at] === '\n') this.#line++
        text += this.#source[this.#at++] ?? ''
        continue
      }
      this.#at += escape.length
      if (this.#source[this.#at] === '(') {
        parts.push(text, this.#interpolated())
        text = ''
      } else text += this.#escape()
    }
    this.#at += closing.length
    parts.push(text)
    return { kind: 'string', parts: quotes === '"""' ? withoutIndent(parts, line) : parts, line }
  }

  #escape(): string {
    const letter = this.#source[this.#at++] ?? ''
    const simple = ESCAPES.get(letter)
    if (simple !== undefined) return simple
    if (letter === '\n') {
      this.#line++
      return ''
    }
    const size = letter === 'u' ? 4 : letter === 'U' ? 8 : 0
    const digits = this.#source.slice(this.#at, this.#at + size)
    const code = Number.parseInt(digits, 16)
    if (size === 0 || digits.length !== size || !/^[0-9a-fA-F]+$/.test(digits) || code > 0x10ffff) {
      throw new CueError('CUE_SYNTAX', `line ${String(this.#line)}: an unknown escape in a string`, {
        found: `\\${letter}`,
      })
    }
    this.#at += size
    return String.fromCodePoint(code)
  }

  /** The tokens between the parentheses of an interpolation, both included. */
  #interpolated(): readonly Token[] {
    const tokens: Token[] = []
    for (let depth = 0; ;) {
      const token = this.#next(undefined)
      if (token.kind === 'end')
        throw new CueError('CUE_SYNTAX', `line ${String(token.line)}: an interpolation does not end`)
      tokens.push(token)
      if (token.kind !== 'operator') continue
      if (token.text === '(') depth++
      if (token.text === ')' && --depth === 0) return [...tokens, { kind: 'end', line: token.line }]
    }
  }
}

function endsDeclaration(token: Token | undefined): boolean {
  if (token === undefined || token.kind === 'end') return false
  return token.kind !== 'operator' || ENDING.has(token.text)
}

/** Far beyond what anybody counts; millions of digits take seconds to be written out. */
const MAX_DIGITS = 10_000

function numberToken(text: string, line: number): Token {
  if (text.length > MAX_DIGITS)
    throw new CueError('CUE_LIMIT', `line ${String(line)}: a number has more than ${String(MAX_DIGITS)} digits`)
  const isInt = /^(?:0[xob]|\d[\d_]*(?:[KMGTP]i?)?$)/.test(text)
  return { kind: isInt ? 'int' : 'float', text: text.replaceAll('_', ''), line }
}

/** Multi-line strings begin after their first line break and lose the indentation of their closing quotes. */
function withoutIndent(parts: readonly StringPart[], line: number): readonly StringPart[] {
  const first = parts[0]
  const last = parts.at(-1)
  const indent = typeof last === 'string' ? /(?:^|\n)([ \t]*)$/.exec(last)?.[1] : undefined
  if (typeof first !== 'string' || !first.startsWith('\n') || indent === undefined) {
    throw new CueError('CUE_SYNTAX', `line ${String(line)}: a multi-line string has text beside its quotes`)
  }
  return parts.map((part, index) => {
    if (typeof part !== 'string') return part
    const shifted = part.replaceAll(`\n${indent}`, '\n')
    const started = index === 0 ? shifted.slice(1) : shifted
    return index === parts.length - 1 ? started.replace(/\n$/, '') : started
  })
}
