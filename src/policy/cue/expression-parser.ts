/** CUE tokens to a tree: expressions (CUE language specification, "Expressions"). @module */
import type {
  Alternative,
  BinaryOperator,
  BoundOperator,
  Comprehension,
  Expression,
  ListItem,
  StructLiteral,
} from './ast.js'
import { CueError, unsupported } from './cue-error.js'
import { fieldKey } from './field-key.js'
import type { Token } from './token.js'

const MAX_DEPTH = 200

/** Binary operators, loosest first. `|` and `&` stand below all of them. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '<=', '>', '>=', '=~', '!~'],
  ['+', '-'],
  ['*', '/'],
]
const BOUNDS: readonly BoundOperator[] = ['<', '<=', '>', '>=', '!=', '=~', '!~']
const INT_SUFFIXES = new Map([
  ['K', 1000n],
  ['M', 1000n ** 2n],
  ['G', 1000n ** 3n],
  ['T', 1000n ** 4n],
  ['P', 1000n ** 5n],
  ['Ki', 1024n],
  ['Mi', 1024n ** 2n],
  ['Gi', 1024n ** 3n],
  ['Ti', 1024n ** 4n],
  ['Pi', 1024n ** 5n],
])

/** Walks tokens by recursive descent. The declarations of structs are read by the class that extends this one. */
export class ExpressionParser {
  readonly #tokens: readonly Token[]
  readonly #readStruct: (parser: ExpressionParser) => StructLiteral
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], readStruct: (parser: ExpressionParser) => StructLiteral) {
    this.#tokens = tokens
    this.#readStruct = readStruct
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { kind: 'end', line: this.#tokens.at(-1)?.line ?? 1 }
  }

  peekIs(operator: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'operator' && token.text === operator
  }

  peekIsName(name?: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'name' && (name === undefined || token.text === name)
  }

  take(operator: string): boolean {
    const found = this.peekIs(operator)
    if (found) this.#at++
    return found
  }

  takeName(name: string): boolean {
    const found = this.peekIsName(name)
    if (found) this.#at++
    return found
  }

  expect(operator: string): Token {
    const token = this.peek()
    if (!this.take(operator)) throw this.unexpected(operator)
    return token
  }

  name(what: string): string {
    const token = this.peek()
    if (token.kind !== 'name') throw this.unexpected(what)
    this.#at++
    return token.text
  }

  plainString(what: string): string {
    const value = this.peek().kind === 'string' ? this.stringLiteral() : undefined
    if (value?.kind === 'scalar' && typeof value.value === 'string') return value.value
    throw this.unexpected(what)
  }

  unexpected(expected: string): CueError {
    const token = this.peek()
    const found = token.kind === 'end' ? 'the end' : token.kind === 'string' ? 'a string' : token.text
    return new CueError('CUE_SYNTAX', `line ${String(token.line)}: not CUE`, { expected, found })
  }

  /** A disjunction, the loosest of all. */
  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new CueError('CUE_LIMIT', 'a CUE expression is nested too deeply')
    const { line } = this.peek()
    const alternatives: Alternative[] = []
    do {
      const isDefault = this.take('*')
      alternatives.push({ isDefault, value: this.#unification() })
    } while (this.take('|'))
    this.#depth--
    const [only] = alternatives
    if (only !== undefined && alternatives.length === 1) {
      if (only.isDefault) throw new CueError('CUE_SYNTAX', `line ${String(line)}: a default outside of a disjunction`)
      return only.value
    }
    return { kind: 'disjunction', alternatives, line }
  }

  comprehension(): Comprehension {
    throw unsupported('a comprehension', this.peek().line)
  }

  #unification(): Expression {
    let left = this.#level(0)
    for (let { line } = this.peek(); this.take('&'); { line } = this.peek()) {
      left = { kind: 'binary', operator: '&', left, right: this.#level(0), line }
    }
    return left
  }

  #level(level: number): Expression {
    const operators = LEVELS[level]
    if (operators === undefined) return this.#unary()
    let left = this.#level(level + 1)
    for (;;) {
      const { line } = this.peek()
      const operator = operators.find((text) => this.peekIs(text))
      if (operator === undefined) {
        if (['div', 'mod', 'quo', 'rem'].some((name) => this.peekIsName(name)))
          throw unsupported('integer division', line)
        return left
      }
      this.take(operator)
      left = { kind: 'binary', operator, left, right: this.#level(level + 1), line }
    }
  }

  #unary(): Expression {
    const { line } = this.peek()
    const bound = BOUNDS.find((text) => this.peekIs(text))
    if (bound !== undefined) {
      this.take(bound)
      return { kind: 'bound', operator: bound, operand: this.#unary(), line }
    }
    for (const operator of ['!', '-', '+'] as const) {
      if (this.take(operator)) return { kind: 'unary', operator, operand: this.#unary(), line }
    }
    return this.#primary()
  }

  #primary(): Expression {
    let value = this.#operand()
    for (;;) {
      const { line } = this.peek()
      if (this.take('.')) {
        value = { kind: 'select', of: value, name: this.#selector(), line }
      } else if (this.take('[')) {
        const index = this.expression()
        if (this.peekIs(':')) throw unsupported('a slice', line)
        this.expect(']')
        value = { kind: 'index', of: value, index, line }
      } else if (this.take('(')) {
        value = { kind: 'call', callee: value, args: this.#list(')'), line }
      } else return value
    }
  }

  #selector(): string {
    return this.peek().kind === 'string' ? this.plainString('a field') : fieldKey(this.name('a field'))
  }

  #operand(): Expression {
    const token = this.peek()
    if (token.kind === 'string') return this.stringLiteral()
    if (token.kind === 'name') return this.#named(this.name('a name'), token.line)
    if (token.kind === 'int' || token.kind === 'float') return this.#number(token.kind, token.text)
    if (this.peekIs('{')) return this.#readStruct(this)
    if (this.peekIs('[')) return this.#listLiteral()
    if (!this.take('(')) throw this.unexpected('a value')
    const value = this.expression()
    this.expect(')')
    return value
  }

  #named(name: string, line: number): Expression {
    if (name === '_') return { kind: 'top', line }
    if (name === 'true' || name === 'false') return { kind: 'scalar', value: name === 'true', line }
    if (name === 'null') return { kind: 'scalar', value: null, line }
    return name === '_|_' ? { kind: 'bottom', line } : { kind: 'reference', name: fieldKey(name), line }
  }

  #number(kind: 'int' | 'float', text: string): Expression {
    const { line } = this.peek()
    this.#at++
    if (kind === 'float') return { kind: 'scalar', value: { float: Number(text) }, line }
    const suffix = /[KMGTP]i?$/.exec(text)?.[0]
    if (suffix === undefined || /^0[xob]/.test(text)) return { kind: 'scalar', value: BigInt(text), line }
    return { kind: 'scalar', value: BigInt(text.slice(0, -suffix.length)) * (INT_SUFFIXES.get(suffix) ?? 1n), line }
  }

  stringLiteral(): Expression {
    const token = this.peek()
    if (token.kind !== 'string') throw this.unexpected('a string')
    this.#at++
    const { line } = token
    const parts = token.parts.map((part) => (typeof part === 'string' ? part : this.#nested(part)))
    if (parts.every((part) => typeof part === 'string')) return { kind: 'scalar', value: parts.join(''), line }
    return { kind: 'interpolation', parts, line }
  }

  /** The expression inside an interpolation, which has its own tokens. */
  #nested(tokens: readonly Token[]): Expression {
    const inner = new ExpressionParser(tokens, (parser) => {
      throw unsupported('a struct in an interpolation', parser.peek().line)
    })
    inner.#depth = this.#depth
    const value = inner.expression()
    if (inner.peek().kind !== 'end') throw inner.unexpected('the end of an interpolation')
    return value
  }

  #list(closing: ')' | ']'): readonly Expression[] {
    const items: Expression[] = []
    while (!this.peekIs(closing)) {
      items.push(this.expression())
      if (!this.take(',')) break
    }
    this.expect(closing)
    return items
  }

  #listLiteral(): Expression {
    const { line } = this.expect('[')
    const items: ListItem[] = []
    let rest: Expression | 'closed' = 'closed'
    while (!this.peekIs(']')) {
      if (this.take('...')) {
        const restLine = this.peek().line
        rest = this.peekIs(']') || this.peekIs(',') ? { kind: 'top', line: restLine } : this.expression()
      } else if (this.peekIsName('for') || this.peekIsName('if')) items.push(this.comprehension())
      else items.push(this.expression())
      if (!this.take(',')) break
    }
    this.expect(']')
    return { kind: 'list', items, rest, line }
  }
}
