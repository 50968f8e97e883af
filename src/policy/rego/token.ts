/** Rego text to tokens. @module */
import { fault, RegoError, unsupported } from './rego-error.js'

export interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'mark' | 'end'
  readonly text: string
  readonly line: number
  /** Whether nothing stands between this token and the one before it. */
  readonly joined: boolean
}

const MAX_LENGTH = 1_000_000
const SPACE = /[ \t\r\n]+|#[^\n]*/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const STRING = /"(?:[^"\\\n]|\\.)*"/y
const RAW = /`[^`]*`/y
const MARK = /:=|==|!=|<=|>=|[-+*/%&|<>=.,;:(){}[\]]/y

/** @throws {@link RegoError} REGO_SYNTAX or REGO_LIMIT */
export function tokenize(source: string): readonly Token[] {
  if (source.length > MAX_LENGTH) {
    throw new RegoError('REGO_LIMIT', 'the policy is too long', {
      expected: `at most ${String(MAX_LENGTH)} characters`,
    })
  }
  const tokens: Token[] = []
  let at = 0
  let line = 1
  let joined = false
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  while (at < source.length) {
    const space = take(SPACE)
    const [kind, raw] = space === undefined ? read(take, line) : (['space', space] as const)
    if (kind !== 'space') tokens.push({ kind, text: textOf(kind, raw, line), line, joined })
    joined = kind !== 'space'
    at += raw.length
    line += raw.split('\n').length - 1
  }
  tokens.push({ kind: 'end', text: 'the end of the text', line, joined: false })
  return tokens
}

function read(take: (pattern: RegExp) => string | undefined, line: number): readonly [Token['kind'], string] {
  for (const [kind, pattern] of [
    ['name', NAME],
    ['string', STRING],
    ['string', RAW],
    ['mark', MARK],
    ['number', NUMBER],
  ] as const) {
    const text = take(pattern)
    if (text !== undefined) return [kind, text]
  }
  throw fault('REGO_SYNTAX', line, 'a character that does not belong into Rego')
}

function textOf(kind: Token['kind'], raw: string, line: number): string {
  if (kind !== 'string') return raw
  if (raw.startsWith('`')) {
    if (raw.includes('\r')) throw unsupported('a carriage return in a raw string', line)
    return raw.slice(1, -1)
  }
  let text: string
  try {
    text = JSON.parse(raw) as string
  } catch (error) {
    if (error instanceof SyntaxError) throw fault('REGO_SYNTAX', line, 'a string is not well formed')
    throw error
  }
  // A lone surrogate would be replaced in the original, and could equal another text there.
  if (!text.isWellFormed()) throw fault('REGO_SYNTAX', line, 'half of a surrogate pair in a string')
  return text
}
