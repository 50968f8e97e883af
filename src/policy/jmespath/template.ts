/**
 * Variables in a policy's texts: `{{ expression }}`.
 *
 * What a variable stands for is never read as a variable again, and inside another expression it cannot leave the quotes or the
 * name that it stands in: it comes from the resource or the attestation, that is, from whoever wrote those.
 *
 * @module
 */
import type { JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import { MAX_TEXT } from './budget.js'
import type { CompileExpression, Expression } from './expression.js'
import { JmesPathError } from './jmespath-error.js'
import { writtenByGo } from './json-values.js'
import { parseTemplate } from './template-syntax.js'
import type { Variable } from './template-syntax.js'

/** A value of a policy, with its variables read and checked. */
export interface Template {
  /**
   * The value with what its variables stand for. A text that is one variable and nothing else becomes its value.
   * @throws {@link JmesPathError} JMESPATH_UNRESOLVED, JMESPATH_EVALUATION, JMESPATH_LIMIT; where variables are nested, as compiling does
   */
  substitute(data: JsonValue, clock: Clock): JsonValue
}

/** Deepest nesting of a value with variables. */
const MAX_DEPTH = 100

type Fill = (data: JsonValue, clock: Clock) => JsonValue

/**
 * Reads a value with variables.
 * @throws {@link JmesPathError} JMESPATH_SYNTAX, JMESPATH_UNSUPPORTED or JMESPATH_LIMIT
 */
export function compileTemplate(compile: CompileExpression, value: JsonValue): Template {
  return { substitute: fillOf(compile, value, 0) }
}

function fillOf(compile: CompileExpression, value: JsonValue, depth: number): Fill {
  if (depth > MAX_DEPTH) throw tooLarge('a value with variables is nested too deeply')
  if (typeof value === 'string') return textFill(compile, value)
  if (typeof value !== 'object' || value === null) return () => value
  if (Array.isArray(value)) {
    const fills = (value as readonly JsonValue[]).map((each) => fillOf(compile, each, depth + 1))
    return (data, clock) => fills.map((fill) => fill(data, clock))
  }
  const members = Object.entries(value as Readonly<Record<string, JsonValue>>).map(
    ([name, each]) => [textFill(compile, name), fillOf(compile, each, depth + 1)] as const,
  )
  return (data, clock) => {
    const filled = members.map(([name, fill]) => [asText(name(data, clock)), fill(data, clock)] as const)
    if (new Set(filled.map(([name]) => name)).size < filled.length) {
      throw new JmesPathError('JMESPATH_EVALUATION', 'variables give two members the same name')
    }
    return Object.fromEntries(filled)
  }
}

/** Text that the policy wrote, or what a variable in it stands for. */
export type TemplatePiece = string | Fill

/**
 * Reads a text with variables whose parts mean something each, such as an address.
 * @throws {@link JmesPathError} as {@link compileTemplate}
 */
export function compilePieces(compile: CompileExpression, text: string): readonly TemplatePiece[] {
  return parseTemplate(text).map((piece) => (typeof piece === 'string' ? piece : variableFill(compile, piece)))
}

function textFill(compile: CompileExpression, text: string): Fill {
  const pieces = compilePieces(compile, text)
  const [only] = pieces
  if (pieces.length === 1 && typeof only === 'function') return only
  return (data, clock) => {
    let filled = ''
    for (const piece of pieces) {
      filled += typeof piece === 'string' ? piece : asText(piece(data, clock))
      if (filled.length > MAX_TEXT) throw tooLarge('variables make a text too long')
    }
    return filled
  }
}

function variableFill(compile: CompileExpression, { pieces }: Variable): Fill {
  const fixed = pieces.every((piece) => typeof piece === 'string') ? pieces.join('') : undefined
  if (fixed !== undefined) {
    const expression = expressionOf(compile, fixed)
    return (data, clock) => expression.evaluate(data, clock)
  }
  const parts = pieces.map((piece) => (typeof piece === 'string' ? piece : inside(compile, piece)))
  return (data, clock) => {
    const source = parts.map((part) => (typeof part === 'string' ? part : part(data, clock))).join('')
    return expressionOf(compile, source).evaluate(data, clock)
  }
}

function expressionOf(compile: CompileExpression, written: string): Expression {
  const source = written.trim().replace(/^-\s*/, '')
  if (source !== '@') return compile(source)
  throw new JmesPathError('JMESPATH_UNSUPPORTED', 'the variable {{@}} is not supported here', {
    hint: 'write the whole path',
  })
}

/** What a text may hold to stay within the quotes, or the name, that it is put in. */
const HARMLESS: Readonly<Record<Variable['place'], RegExp>> = {
  '': /^[A-Za-z0-9_.]*$/,
  '.': /^[A-Za-z_][A-Za-z0-9_.]*$/,
  "'": /^[^'\\]*$/,
  '"': /^[^"\\]*$/,
  '`': /^(?:[^`]*[^`\\])?$/,
}

/** What may be a member's name once it is quoted. */
const MEMBER = /^[A-Za-z0-9_-]+$/

function inside(compile: CompileExpression, variable: Variable): (data: JsonValue, clock: Clock) => string {
  const fill = variableFill(compile, variable)
  return (data, clock) => {
    const text = asText(fill(data, clock))
    if (HARMLESS[variable.place].test(text)) return text
    // The name of a namespace, which need not be one of JMESPath's: `keys.data.{{request.namespace}}`.
    if (variable.place === '.' && MEMBER.test(text)) return JSON.stringify(text)
    throw new JmesPathError('JMESPATH_EVALUATION', 'a variable would change the expression that it stands in', {
      expected: /^\.?$/.test(variable.place) ? 'a plain name' : `a text that stays within ${variable.place}`,
      found: text.slice(0, 80),
    })
  }
}

/** What a variable stands for within a text. */
export function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : writtenByGo(value)
}

function tooLarge(message: string): JmesPathError {
  return new JmesPathError('JMESPATH_LIMIT', message)
}
