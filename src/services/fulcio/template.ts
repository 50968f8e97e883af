/**
 * The part of Go's text/template that Fulcio's configurations use: `{{ .claim }}`, `{{ index . "claim" }}`, and
 * `{{ if eq A B }}…{{ else }}…{{ end }}`. Anything else is refused when the configuration is read, never at a request.
 * @module
 */
import { FulcioConfigError } from './errors.js'

/** Claims and defaults, as text. */
export type TemplateValues = ReadonlyMap<string, string>

/** A checked template. Returns undefined if a claim that it needs is not there. */
export type Template = (values: TemplateValues) => string | undefined

type Operand = (values: TemplateValues) => string | undefined

/**
 * Reads a template. Without `{{` it is the name of a claim.
 * @throws FulcioConfigError FULCIO_CONFIG_TEMPLATE
 */
export function parseTemplate(source: string): Template {
  if (!source.includes('{{')) return (values) => values.get(source)
  const parts = splitActions(source)
  const { template, rest } = parseSequence(parts, source)
  if (rest.length > 0) throw unsupported(source, 'an {{ else }} or {{ end }} without {{ if }}')
  return template
}

interface Part {
  readonly kind: 'text' | 'action'
  readonly value: string
}

function splitActions(source: string): readonly Part[] {
  const parts: Part[] = []
  let rest = source
  for (;;) {
    const start = rest.indexOf('{{')
    if (start < 0) return [...parts, { kind: 'text', value: rest }]
    const end = rest.indexOf('}}', start)
    if (end < 0) throw unsupported(source, 'an action without its end')
    parts.push(
      { kind: 'text', value: rest.slice(0, start) },
      { kind: 'action', value: rest.slice(start + 2, end).trim() },
    )
    rest = rest.slice(end + 2)
  }
}

/** Reads until `else`, `end` or the end; these stay in `rest`. */
function parseSequence(
  parts: readonly Part[],
  source: string,
): { readonly template: Template; readonly rest: readonly Part[] } {
  const pieces: Template[] = []
  let rest = parts
  for (let part = rest[0]; part !== undefined; part = rest[0]) {
    if (part.kind === 'action' && (part.value === 'else' || part.value === 'end')) break
    rest = rest.slice(1)
    if (part.kind === 'text') pieces.push(constant(part.value))
    else if (/^if\s/.test(part.value)) {
      const branch = parseIf(part.value, rest, source)
      pieces.push(branch.template)
      rest = branch.rest
    } else pieces.push(parseOperand(tokenize(part.value, source), source))
  }
  return { template: (values) => joined(pieces, values), rest }
}

function parseIf(
  action: string,
  parts: readonly Part[],
  source: string,
): { readonly template: Template; readonly rest: readonly Part[] } {
  const [, name, ...operands] = tokenize(action, source)
  const split = splitOperands(operands, source)
  const [left, right] = split
  if (name !== 'eq' || left === undefined || right === undefined || split.length !== 2)
    throw unsupported(source, 'an {{ if }} without eq')
  const then = parseSequence(parts, source)
  const hasElse = then.rest[0]?.value === 'else'
  const otherwise = hasElse ? parseSequence(then.rest.slice(1), source) : { template: constant(''), rest: then.rest }
  if (otherwise.rest[0]?.value !== 'end') throw unsupported(source, 'an {{ if }} without {{ end }}')
  const template: Template = (values) => {
    const [a, b] = [left(values), right(values)]
    if (a === undefined || b === undefined) return undefined
    return a === b ? then.template(values) : otherwise.template(values)
  }
  return { template, rest: otherwise.rest.slice(1) }
}

const TOKEN = /\s*(?:([()])|"((?:[^"\\])*)"|`([^`]*)`|([^\s()"`]+))/y

function tokenize(action: string, source: string): readonly string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  const text = action.trimEnd()
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) throw unsupported(source, 'an action that cannot be read')
    const [, bracket, quoted, raw, word] = match
    tokens.push(bracket ?? word ?? `"${quoted ?? raw ?? ''}`)
  }
  return tokens
}

/** The operands of `eq`: each a word, a text, or something in brackets. */
function splitOperands(tokens: readonly string[], source: string): readonly Operand[] {
  const operands: Operand[] = []
  for (let i = 0; i < tokens.length; i++) {
    const start = i
    if (tokens[i] === '(') {
      i = tokens.indexOf(')', i)
      if (i < 0) throw unsupported(source, 'a bracket that is not closed')
    }
    operands.push(parseOperand(tokens.slice(start, i + 1), source))
  }
  return operands
}

const FIELD = /^\.([A-Za-z_][A-Za-z0-9_]*)$/

function parseOperand(tokens: readonly string[], source: string): Operand {
  const [first, second, third] = tokens
  if (first === '(' && tokens.at(-1) === ')') return parseOperand(tokens.slice(1, -1), source)
  if (tokens.length === 1 && first !== undefined) {
    if (first.startsWith('"')) return constant(first.slice(1))
    const field = FIELD.exec(first)?.[1]
    // Fulcio sets missingkey=error: a claim that is not there ends the request.
    if (field !== undefined) return (values) => values.get(field)
  }
  // `index` on a Go map gives the empty text for a missing key, whatever missingkey says.
  if (tokens.length === 3 && first === 'index' && second === '.' && third?.startsWith('"') === true) {
    return (values) => values.get(third.slice(1)) ?? ''
  }
  throw unsupported(source, tokens.join(' ').slice(0, 60))
}

function constant(text: string): Template {
  return () => text
}

function joined(pieces: readonly Template[], values: TemplateValues): string | undefined {
  let text = ''
  for (const piece of pieces) {
    const value = piece(values)
    if (value === undefined) return undefined
    text += value
  }
  return text
}

function unsupported(source: string, found: string): FulcioConfigError {
  return new FulcioConfigError('FULCIO_CONFIG_TEMPLATE', `a template cannot be used: ${source.slice(0, 100)}`, {
    expected: '{{ .claim }}, {{ index . "claim" }} or {{ if eq A B }}…{{ else }}…{{ end }}',
    found,
  })
}
