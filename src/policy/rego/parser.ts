/** Rego modules: the package, its imports, its rules. @module */
import type { Body, Clause, ImportText, Module, RuleText, Term } from './ast.js'
import { fault, unsupported } from './rego-error.js'
import { parseBody, parseList, parseLiteral, parseTerm } from './expression-parser.js'
import { tokenize } from './token.js'
import { FUTURE_KEYWORDS, TokenReader } from './token-reader.js'

const TRUE = (line: number): Term => ({ kind: 'constant', value: true, line })

/** Reads a module. @throws RegoError REGO_SYNTAX, REGO_UNSUPPORTED or REGO_LIMIT */
export function parseModule(source: string): Module {
  return new ModuleParser(new TokenReader(tokenize(source))).module()
}

class ModuleParser {
  readonly #reader: TokenReader
  /** Under `import rego.v1`, bodies want `if` and sets want `contains`. */
  #isVersion1 = false

  constructor(reader: TokenReader) {
    this.#reader = reader
  }

  module(): Module {
    const reader = this.#reader
    reader.expect('package')
    const path = this.#dotted()
    const imports: ImportText[] = []
    const rules: RuleText[] = []
    while (reader.token.kind !== 'end') {
      if (reader.skip(';')) continue
      if (reader.isWord('import')) imports.push(...this.#import())
      else rules.push(...this.#rule())
    }
    return { path, imports, rules }
  }

  #dotted(): readonly string[] {
    const reader = this.#reader
    const names = [reader.name()]
    for (;;) {
      if (reader.skip('.')) {
        const { token } = reader
        if (token.kind !== 'name') throw reader.unexpected('a name')
        names.push(reader.next().text)
      } else if (reader.isMark('[') && reader.token.joined) {
        reader.next()
        if (reader.token.kind !== 'string') throw reader.unexpected('a string')
        names.push(reader.next().text)
        reader.expect(']')
      } else return names
    }
  }

  #import(): readonly ImportText[] {
    const reader = this.#reader
    const { line } = reader.next()
    const path = this.#dotted()
    const alias = reader.skip('as') ? reader.name() : undefined
    const [root, second, third] = path
    if (root === 'input' || root === 'data') return [{ path, alias: alias ?? path.at(-1) ?? root }]
    if (alias !== undefined) throw unsupported('an import of that with a name', line)
    if (root === 'rego' && second === 'v1' && path.length === 2) this.#isVersion1 = true
    else if (root !== 'future' || second !== 'keywords' || path.length > 3) throw unsupported(path.join('.'), line)
    const words = FUTURE_KEYWORDS.filter((word) => third === undefined || third === word)
    if (words.length === 0) throw unsupported(path.join('.'), line)
    for (const word of words) reader.allow(word)
    if (third === 'every') reader.allow('in')
    return []
  }

  /** A rule, and one more for each further body in braces. */
  #rule(): readonly RuleText[] {
    const reader = this.#reader
    const { line } = reader.token
    const isDefault = reader.skip('default')
    const name = reader.name()
    const args = reader.isMark('(') && reader.token.joined ? this.#args() : undefined
    if (reader.isMark('.')) throw unsupported('a rule with a dot in its name', line)
    const key = args === undefined && reader.skip('[') ? this.#key() : undefined
    const member = key === undefined && args === undefined && reader.skip('contains') ? parseTerm(reader) : undefined
    const value = reader.skip(':=') || reader.skip('=') ? parseTerm(reader) : undefined
    const kind = args !== undefined ? 'function' : member !== undefined ? 'set' : key !== undefined ? 'key' : 'complete'
    if (member !== undefined && value !== undefined) throw reader.unexpected('no value after contains')
    if (isDefault) {
      if (kind !== 'complete' || value === undefined) throw unsupported('a default of that kind', line)
      const clause: Clause = { key: undefined, value, body: [], line }
      return [{ name, kind: 'complete', isDefault, args: [], clauses: [clause], line }]
    }
    const usesIf = reader.isWord('if')
    if (kind === 'key' && value === undefined && (usesIf || this.#isVersion1)) {
      throw unsupported('name[key] without contains or a value', line)
    }
    const hasBody = usesIf || reader.isMark('{')
    if (kind === 'complete' && value === undefined && !hasBody) {
      throw reader.unexpected('a value or a body')
    }
    const ruleKind = kind === 'key' ? (value === undefined ? 'set' : 'object') : kind
    const make = (clauses: readonly Clause[]): RuleText => ({
      name,
      kind: ruleKind,
      isDefault,
      args: args ?? [],
      clauses,
      line,
    })
    const clause = (body: Body): Clause => ({ key: key ?? member, value: value ?? TRUE(line), body, line })
    if (!hasBody) {
      const bare = [clause([])]
      return [make(reader.isWord('else') ? this.#else(bare, ruleKind) : bare)]
    }
    const rules = [make(this.#else([clause(this.#body())], ruleKind))]
    while (reader.isMark('{') && !usesIf) rules.push(make(this.#else([clause(this.#body())], ruleKind)))
    return rules
  }

  #args(): readonly Term[] {
    this.#reader.expect('(')
    const args = parseList(this.#reader, ')')
    if (args.length === 0) throw unsupported('a function without arguments', this.#reader.lastLine)
    return args
  }

  #key(): Term {
    const key = parseTerm(this.#reader)
    this.#reader.expect(']')
    if (this.#reader.isMark('[') || this.#reader.isMark('.')) {
      throw unsupported('a rule with more than one key', this.#reader.lastLine)
    }
    return key
  }

  #body(): Body {
    const reader = this.#reader
    const { line } = reader.token
    const usesIf = reader.skip('if')
    if (this.#isVersion1 && !usesIf) throw reader.unexpected('if')
    if (usesIf && !reader.isMark('{')) return [parseLiteral(reader)]
    reader.expect('{')
    const body = parseBody(reader, '}')
    if (body.length === 0) throw fault('REGO_SYNTAX', line, 'an empty body')
    return body
  }

  #else(first: readonly Clause[], kind: RuleText['kind']): readonly Clause[] {
    const reader = this.#reader
    const clauses = [...first]
    while (reader.isWord('else')) {
      const { line } = reader.next()
      if (kind !== 'complete' && kind !== 'function') throw fault('REGO_SYNTAX', line, 'else after a partial rule')
      const value = reader.skip(':=') || reader.skip('=') ? parseTerm(reader) : undefined
      const hasBody = reader.isWord('if') || reader.isMark('{')
      if (!hasBody && value === undefined) throw reader.unexpected('a value or a body')
      clauses.push({ key: undefined, value: value ?? TRUE(line), body: hasBody ? this.#body() : [], line })
    }
    return clauses
  }
}
