/** Rego bodies: literals, `some`, `every`, `not`, `with`. @module */
import type { Body, Literal, Statement, Term, With } from './ast.js'
import { fault, unsupported } from './rego-error.js'
import { parseTerm } from './term-parser.js'
import type { TokenReader } from './token-reader.js'

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
