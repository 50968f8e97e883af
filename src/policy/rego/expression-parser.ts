/**
 * Rego terms (operators, refs, calls, collections, comprehensions) and bodies (literals, `some`, `every`, `not`, `with`). They are
 * in one place because each can hold the other.
 *
 * @module
 */
import type { Body, Entry, Literal, Statement, Term, With } from './ast.js'
import { numberOf } from './number.js'
import { fault, unsupported } from './rego-error.js'
import type { TokenReader } from './token-reader.js'

/** Operators by how weakly they bind, with the names of their builtins. */
const OPERATORS: readonly ReadonlyMap<string, string>[] = [
  new Map([
    ['==', 'equal'],
    ['!=', 'neq'],
    ['<', 'lt'],
    ['<=', 'lte'],
    ['>', 'gt'],
    ['>=', 'gte'],
  ]),
  new Map([['|', 'or']]),
  new Map([['&', 'and']]),
  new Map([
    ['+', 'plus'],
    ['-', 'minus'],
  ]),
  new Map([
    ['*', 'mul'],
    ['/', 'div'],
    ['%', 'rem'],
  ]),
]
const MEMBERSHIP = 'in'

/** A term with operators. */
export function parseTerm(reader: TokenReader): Term {
  return parseTermFrom(reader, undefined)
}

/** The rest of a term whose first operand was read already: nothing is read twice, however deep it is. */
function parseTermFrom(reader: TokenReader, first: Term | undefined): Term {
  return reader.deeper(() => {
    let left = parseOperators(reader, 0, first)
    while (reader.isWord(MEMBERSHIP)) {
      const { line } = reader.next()
      left = { kind: 'call', name: 'internal.member_2', args: [left, parseOperators(reader, 0)], line }
    }
    return left
  })
}

function parseOperators(reader: TokenReader, level: number, first?: Term): Term {
  const operators = OPERATORS[level]
  if (operators === undefined) return first ?? parseFactor(reader)
  let left = parseOperators(reader, level + 1, first)
  for (;;) {
    const { token } = reader
    const name = token.kind === 'mark' ? operators.get(token.text) : undefined
    if (name === undefined) return left
    reader.next()
    left = { kind: 'call', name, args: [left, parseOperators(reader, level + 1)], line: token.line }
  }
}

/** A term without operators, which is what may stand before the bar of a comprehension. */
function parseFactor(reader: TokenReader): Term {
  const head = parseHead(reader)
  return parsePath(reader, head)
}

function parseHead(reader: TokenReader): Term {
  const { token } = reader
  const { line } = token
  if (token.kind === 'string') return { kind: 'constant', value: reader.next().text, line }
  if (token.kind === 'number') return parseNumber(reader, '')
  if (reader.skip('-')) {
    if (reader.token.kind !== 'number' || !reader.token.joined) throw reader.unexpected('a number')
    return parseNumber(reader, '-')
  }
  for (const [word, value] of [
    ['true', true],
    ['false', false],
    ['null', null],
  ] as const) {
    if (reader.skip(word)) return { kind: 'constant', value, line }
  }
  if (reader.skip('(')) {
    const term = parseTerm(reader)
    reader.expect(')')
    return term
  }
  if (reader.isMark('[')) return parseArray(reader)
  if (reader.isMark('{')) return parseBraces(reader)
  // The keyword goes on being the name of a function.
  const after = reader.peek(1)
  const isCall = reader.isWord('contains') && after.kind === 'mark' && after.text === '(' && after.joined
  const name = isCall ? reader.next().text : reader.name()
  return { kind: 'variable', name: name === '_' ? reader.wildcard() : name, line }
}

function parseNumber(reader: TokenReader, sign: string): Term {
  const { text, line } = reader.next()
  const after = reader.token
  if (after.joined && (after.kind === 'name' || after.kind === 'number')) throw reader.unexpected('a number')
  return { kind: 'constant', value: numberOf(sign + text), line }
}

/** What is joined to a head: `.name`, `[term]`, `(arguments)`. */
function parsePath(reader: TokenReader, head: Term): Term {
  let term = head
  let dotted = head.kind === 'variable' && !head.name.endsWith('$') ? head.name : undefined
  let path: Term[] = []
  while (reader.token.joined) {
    const { line } = reader.token
    if (reader.skip('(')) {
      if (dotted === undefined) throw fault('REGO_SYNTAX', line, 'only a name can be called')
      term = parseCall(reader, dotted, line)
      dotted = undefined
      path = []
      continue
    }
    if (reader.skip('.')) {
      const { token } = reader
      if (token.kind !== 'name' || !token.joined) throw reader.unexpected('a name')
      reader.next()
      path = [...path, { kind: 'constant', value: token.text, line }]
      if (dotted !== undefined) dotted = `${dotted}.${token.text}`
    } else if (reader.skip('[')) {
      path = [...path, parseTerm(reader)]
      reader.expect(']')
      dotted = undefined
    } else break
    const from: Term = term.kind === 'ref' ? term.head : term
    if (from.kind === 'constant') throw fault('REGO_SYNTAX', line, 'nothing is below a constant')
    term = { kind: 'ref', head: from, path, line: head.line }
  }
  return term
}

function parseCall(reader: TokenReader, name: string, line: number): Term {
  const args = parseList(reader, ')')
  if (name === 'set' && args.length === 0) return { kind: 'set', items: [], line }
  return { kind: 'call', name, args, line }
}

/** Terms up to a closing mark, which is read too. */
export function parseList(reader: TokenReader, close: string): readonly Term[] {
  const items: Term[] = []
  while (!reader.skip(close)) {
    items.push(parseTerm(reader))
    if (!reader.skip(',') && !reader.isMark(close)) throw reader.unexpected(`, or ${close}`)
  }
  return items
}

function parseArray(reader: TokenReader): Term {
  const { line } = reader.next()
  if (reader.skip(']')) return { kind: 'array', items: [], line }
  const first = parseFirst(reader)
  if (reader.isMark('|')) {
    return { kind: 'comprehension', of: 'array', key: undefined, value: first, body: parseQuery(reader, ']'), line }
  }
  return { kind: 'array', items: parseItems(reader, parseTermFrom(reader, first), ']'), line }
}

function parseBraces(reader: TokenReader): Term {
  const { line } = reader.next()
  if (reader.skip('}')) return { kind: 'object', entries: [], line }
  const head = parseFirst(reader)
  if (reader.isMark('|')) {
    return { kind: 'comprehension', of: 'set', key: undefined, value: head, body: parseQuery(reader, '}'), line }
  }
  const first = parseTermFrom(reader, head)
  if (!reader.skip(':')) return { kind: 'set', items: parseItems(reader, first, '}'), line }
  const value = parseFirst(reader)
  if (reader.isMark('|')) {
    return { kind: 'comprehension', of: 'object', key: first, value, body: parseQuery(reader, '}'), line }
  }
  const entries: Entry[] = [[first, parseTermFrom(reader, value)]]
  while (!reader.skip('}')) {
    reader.expect(',')
    if (reader.skip('}')) break
    const key = parseTerm(reader)
    reader.expect(':')
    entries.push([key, parseTerm(reader)])
  }
  return { kind: 'object', entries, line }
}

/** What may stand before the bar of a comprehension; a bar after it is always that of a comprehension. */
function parseFirst(reader: TokenReader): Term {
  return reader.deeper(() => parseFactor(reader))
}

function parseItems(reader: TokenReader, first: Term, close: string): readonly Term[] {
  if (reader.skip(close)) return [first]
  reader.expect(',')
  return [first, ...parseList(reader, close)]
}

function parseQuery(reader: TokenReader, close: string): Body {
  const { line } = reader.next()
  const body = parseBody(reader, close)
  if (body.length === 0) throw unsupported('an empty comprehension', line)
  return body
}

/** Putting statements into order takes time that grows with their square. */
const MAX_LITERALS = 500

/** Literals up to a closing mark, which is read too. */
export function parseBody(reader: TokenReader, close: string): Body {
  const literals: Literal[] = []
  while (!reader.skip(close)) {
    literals.push(parseLiteral(reader))
    if (literals.length > MAX_LITERALS) throw fault('REGO_LIMIT', reader.lastLine, 'too many statements in a body')
    if (reader.isMark(close)) continue
    if (reader.skip(';')) {
      if (reader.isMark(close)) throw reader.unexpected('a statement')
      continue
    }
    if (reader.token.line === reader.lastLine) throw reader.unexpected(`a new line, ; or ${close}`)
  }
  return literals
}

export function parseLiteral(reader: TokenReader): Literal {
  const { line } = reader.token
  const negated = reader.skip('not')
  const statement = parseStatement(reader)
  if (negated && statement.kind !== 'term' && statement.kind !== 'unify') {
    throw unsupported(`not before ${statement.kind}`, line)
  }
  const withs: With[] = []
  while (reader.isWord('with')) withs.push(parseWith(reader))
  return { statement, negated, with: withs, line }
}

function parseStatement(reader: TokenReader): Statement {
  if (reader.isWord('some')) return parseSome(reader)
  if (reader.isWord('every')) return parseEvery(reader)
  const left = parseTerm(reader)
  if (reader.isMark(',')) {
    return { kind: 'term', term: parsePairMembership(reader, left) }
  }
  for (const [mark, kind] of [
    [':=', 'assign'],
    ['=', 'unify'],
  ] as const) {
    if (reader.skip(mark)) return { kind, left, right: parseTerm(reader) }
  }
  return { kind: 'term', term: left }
}

/** `key, value in collection` */
function parsePairMembership(reader: TokenReader, key: Term): Term {
  const { line } = reader.next()
  const rest = parseTerm(reader)
  if (rest.kind !== 'call' || rest.name !== 'internal.member_2' || rest.args.length !== 2) throw reader.unexpected('in')
  return { kind: 'call', name: 'internal.member_3', args: [key, ...rest.args], line }
}

function parseSome(reader: TokenReader): Statement {
  const { line } = reader.next()
  const first = parseTerm(reader)
  const terms = [first]
  while (reader.skip(',')) terms.push(parseTerm(reader))
  const last = terms.at(-1)
  if (last?.kind === 'call' && last.name === 'internal.member_2') {
    const [value, domain] = last.args
    if (terms.length > 2 || last.args.length !== 2 || value === undefined || domain === undefined) {
      throw fault('REGO_SYNTAX', line, 'some takes a value, or a key and a value')
    }
    return { kind: 'some-in', key: terms.length === 2 ? first : undefined, value, domain }
  }
  const names = terms.map((term) => {
    if (term.kind !== 'variable') throw fault('REGO_SYNTAX', line, 'some declares names')
    return term.name
  })
  return { kind: 'some', names }
}

function parseEvery(reader: TokenReader): Statement {
  const { line } = reader.next()
  const variable = (): string => {
    const name = reader.name()
    return name === '_' ? reader.wildcard() : name
  }
  const first = variable()
  const second = reader.skip(',') ? variable() : undefined
  reader.expect('in')
  const domain = parseTerm(reader)
  reader.expect('{')
  const body = parseBody(reader, '}')
  if (body.length === 0) throw fault('REGO_SYNTAX', line, 'every without a body')
  return { kind: 'every', key: second === undefined ? undefined : first, value: second ?? first, domain, body }
}

function parseWith(reader: TokenReader): With {
  const { line } = reader.next()
  const target = parseTerm(reader)
  reader.expect('as')
  const value = parseTerm(reader)
  const head = target.kind === 'ref' ? target.head : target
  if (head.kind !== 'variable' || head.name !== 'input') throw unsupported('with, but for input', line)
  const path = target.kind === 'ref' ? target.path : []
  const names = path.map((step) => {
    if (step.kind !== 'constant' || typeof step.value !== 'string') throw unsupported('with a computed path', line)
    return step.value
  })
  return { path: names, value }
}
