/** Going through the tokens of a Rego text. @module */
import { fault, RegoError } from './rego-error.js'
import type { Token } from './token.js'

const MAX_DEPTH = 100
const KEYWORDS = new Set(['as', 'default', 'else', 'false', 'import', 'package', 'not', 'null', 'true', 'with', 'some'])

/** The words that older policies may use as names, until they are imported. */
export const FUTURE_KEYWORDS = ['contains', 'every', 'if', 'in'] as const
export type FutureKeyword = (typeof FUTURE_KEYWORDS)[number]

export class TokenReader {
  readonly #tokens: readonly Token[]
  readonly #keywords = new Set<string>(KEYWORDS)
  #at = 0
  #depth = 0
  #wildcards = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  allow(keyword: FutureKeyword): void {
    this.#keywords.add(keyword)
  }
  allows(keyword: FutureKeyword): boolean {
    return this.#keywords.has(keyword)
  }

  get token(): Token {
    return this.peek(0)
  }
  peek(ahead: number): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]
    if (token === undefined) throw fault('REGO_SYNTAX', 1, 'no text')
    return token
  }
  next(): Token {
    const { token } = this
    this.#at++
    return token
  }
  /** The line of the last token read. */
  get lastLine(): number {
    return this.#tokens[this.#at - 1]?.line ?? 1
  }

  isMark(text: string): boolean {
    return this.token.kind === 'mark' && this.token.text === text
  }
  isWord(text: string): boolean {
    return this.token.kind === 'name' && this.token.text === text && this.#keywords.has(text)
  }
  isName(token: Token = this.token): boolean {
    return token.kind === 'name' && !this.#keywords.has(token.text)
  }
  skip(text: string): boolean {
    if (!this.isMark(text) && !this.isWord(text)) return false
    this.#at++
    return true
  }
  expect(text: string): void {
    if (!this.skip(text)) throw this.unexpected(text)
  }
  name(): string {
    if (!this.isName()) throw this.unexpected('a name')
    return this.next().text
  }
  /** A name for `_`, unlike all others. */
  wildcard(): string {
    return `_${String(this.#wildcards++)}$`
  }

  deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new RegoError('REGO_LIMIT', `line ${String(this.token.line)}: nested too deeply`)
    }
    const result = read()
    this.#depth--
    return result
  }
  unexpected(expected: string): RegoError {
    const { line, text } = this.token
    return new RegoError('REGO_SYNTAX', `line ${String(line)}: the policy cannot be read`, { expected, found: text })
  }
}
