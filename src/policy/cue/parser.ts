/** CUE tokens to a tree: declarations (CUE language specification, "Structs", "Comprehensions", "Modules"). @module */
import type { Clause, Comprehension, CueFile, Declaration, Expression, Field, Label, StructLiteral } from './ast.js'
import { CueError, unsupported } from './cue-error.js'
import { fieldKey } from './field-key.js'
import { ExpressionParser } from './expression-parser.js'
import type { Token } from './token.js'
import { tokenize } from './token.js'

const MAX_SOURCE = 1_000_000

/**
 * Reads a whole file.
 * @throws {@link CueError} CUE_SYNTAX, CUE_UNSUPPORTED with the line, or CUE_LIMIT
 */
export function parseCue(source: string): CueFile {
  if (source.length > MAX_SOURCE)
    throw new CueError('CUE_LIMIT', 'a CUE policy is too long', { expected: `${String(MAX_SOURCE)} characters` })
  const parser = new DeclarationParser(tokenize(source))
  if (parser.takeName('package')) parser.skipPackageName()
  const imports = new Map<string, string>()
  while (parser.takeName('import')) parser.readImports(imports)
  const declarations = parser.declarations('end')
  return { imports, root: { kind: 'struct', declarations, line: 1 } }
}

class DeclarationParser extends ExpressionParser {
  constructor(tokens: readonly Token[]) {
    super(tokens, (parser) => (parser as DeclarationParser).struct())
  }

  skipPackageName(): void {
    this.name('a package name')
    this.take(',')
  }

  readImports(imports: Map<string, string>): void {
    const grouped = this.take('(')
    do {
      if (grouped && this.peekIs(')')) break
      const alias = this.peek().kind === 'name' ? this.name('an import name') : undefined
      const path = this.plainString('an import path')
      imports.set(alias ?? path.replace(/^.*[/:]/, ''), path)
    } while (this.take(',') && grouped)
    if (grouped) {
      this.expect(')')
      this.take(',')
    }
  }

  struct(): StructLiteral {
    const { line } = this.expect('{')
    const declarations = this.declarations('}')
    this.expect('}')
    return { kind: 'struct', declarations, line }
  }

  declarations(until: '}' | 'end'): readonly Declaration[] {
    const declarations: Declaration[] = []
    while (!(until === 'end' ? this.peek().kind === 'end' : this.peekIs('}'))) {
      declarations.push(this.#declaration())
      if (!this.take(',')) break
    }
    if (until === 'end' && this.peek().kind !== 'end') throw this.unexpected('the end of a declaration')
    return declarations
  }

  #declaration(): Declaration {
    if (this.take('...')) {
      if (!this.peekIs(',') && !this.peekIs('}') && this.peek().kind !== 'end')
        throw unsupported('a typed ellipsis', this.peek().line)
      return { kind: 'ellipsis' }
    }
    if (this.peekIsName('let') && this.peekIsName(undefined, 1) && this.peekIs('=', 2)) return this.#letDeclaration()
    if (this.#startsComprehension()) return this.comprehension()
    if (this.#startsField()) return this.#field()
    return { kind: 'embedding', value: this.expression() }
  }

  #letDeclaration(): Declaration {
    const { name, value } = this.#letBinding()
    return { kind: 'let', name, value }
  }

  #letBinding(): { readonly name: string; readonly value: Expression } {
    this.name('let')
    const name = fieldKey(this.name('a name'))
    this.expect('=')
    return { name, value: this.expression() }
  }

  /** `if` and `for` are names too, so `if: 1` is a field. */
  #startsComprehension(): boolean {
    return (this.peekIsName('if') || this.peekIsName('for')) && !this.#isLabelEnd(1)
  }

  override comprehension(): Comprehension {
    const { line } = this.peek()
    const clauses: Clause[] = []
    while (this.peekIsName('if') || this.peekIsName('for') || (clauses.length > 0 && this.peekIsName('let'))) {
      clauses.push(this.#clause())
      if (this.peekIs(',') && !this.peekIs('{', 1)) this.take(',')
    }
    return { kind: 'comprehension', clauses, body: this.struct(), line }
  }

  #clause(): Clause {
    if (this.takeName('if')) return { kind: 'if', condition: this.expression() }
    if (this.peekIsName('let')) return { kind: 'let', ...this.#letBinding() }
    this.name('for')
    const first = fieldKey(this.name('a name'))
    const second = this.take(',') ? fieldKey(this.name('a name')) : undefined
    if (!this.takeName('in')) throw this.unexpected('in')
    const source = this.expression()
    return { kind: 'for', key: second === undefined ? undefined : first, value: second ?? first, source }
  }

  #startsField(): boolean {
    const token = this.peek()
    if (token.kind === 'name' || token.kind === 'string') {
      if (token.kind === 'name' && this.peekIs('=', 1)) throw unsupported('a field alias', token.line)
      return this.#isLabelEnd(1)
    }
    if (this.peekIs('(')) return this.#isLabelEnd(this.#afterClosing())
    return this.peekIs('[') && this.#isLabelEnd(this.#afterClosing())
  }

  #isLabelEnd(ahead: number): boolean {
    if (this.peekIs(':', ahead)) return true
    return (this.peekIs('?', ahead) || this.peekIs('!', ahead)) && this.peekIs(':', ahead + 1)
  }

  /** How many tokens the bracketed group takes that begins here. */
  #afterClosing(): number {
    let depth = 0
    for (let ahead = 0; ; ahead++) {
      const token = this.peek(ahead)
      if (token.kind === 'end') return ahead
      if (token.kind !== 'operator') continue
      if (token.text === '(' || token.text === '[' || token.text === '{') depth++
      if ((token.text === ')' || token.text === ']' || token.text === '}') && --depth === 0) return ahead + 1
    }
  }

  #field(): Field {
    const { line } = this.peek()
    const label = this.#label()
    const presence = this.take('?') ? 'optional' : this.take('!') ? 'required' : 'regular'
    this.expect(':')
    // a: b: 1 is short for a: {b: 1}
    const value: Expression = this.#startsField()
      ? { kind: 'struct', declarations: [this.#field()], line }
      : this.expression()
    return { kind: 'field', label, presence, value, line }
  }

  #label(): Label {
    const token = this.peek()
    if (token.kind === 'name') return { kind: 'name', key: fieldKey(this.name('a label')), quoted: false }
    if (token.kind === 'string') return this.#stringLabel()
    if (this.take('(')) {
      const value = this.expression()
      this.expect(')')
      return { kind: 'dynamic', value }
    }
    this.expect('[')
    const alias = this.peekIsName() && this.peekIs('=', 1) ? fieldKey(this.name('an alias')) : undefined
    if (alias !== undefined) this.expect('=')
    const value = this.expression()
    this.expect(']')
    return { kind: 'pattern', value, alias }
  }

  #stringLabel(): Label {
    const value = this.stringLiteral()
    if (value.kind === 'scalar' && typeof value.value === 'string')
      return { kind: 'name', key: value.value, quoted: true }
    return { kind: 'dynamic', value }
  }
}
