/** Where the variables of a text begin and end. @module */
import { quoted } from './expression-tree.js'
import { JmesPathError } from './jmespath-error.js'

type Quote = '' | "'" | '"' | '`'

/** A variable: the pieces of its expression, and where it stands in another one: within quotes, after a dot, or elsewhere. */
export interface Variable {
  readonly pieces: readonly Piece[]
  readonly place: Quote | '.'
}

/** Text, or a variable. */
export type Piece = string | Variable

/** Deepest `{{ a.{{ b }} }}`. */
const MAX_NESTING = 10

/** `$(…)`, which Kyverno reads as a path into the policy itself. */
const REFERENCE = /(^|[^\\])\$\([^ ]+\)/

/**
 * The pieces of a text. `\{{` is `{{` itself.
 * @throws {@link JmesPathError} JMESPATH_SYNTAX, JMESPATH_UNSUPPORTED or JMESPATH_LIMIT
 */
export function parseTemplate(text: string): readonly Piece[] {
  if (REFERENCE.test(text)) {
    throw new JmesPathError('JMESPATH_UNSUPPORTED', 'references $(…) are not supported here', { found: quoted(text) })
  }
  const pieces: Piece[] = []
  let plain = ''
  const reader = { text, at: 0 }
  while (reader.at < text.length) {
    if (text.startsWith('\\{{', reader.at)) {
      plain += '{{'
      reader.at += 3
    } else if (text.startsWith('{{', reader.at)) {
      if (plain !== '') pieces.push(plain)
      plain = ''
      pieces.push(readVariable(reader, '', 0))
    } else {
      plain += text.charAt(reader.at++)
    }
  }
  if (plain !== '' || pieces.length === 0) pieces.push(plain)
  return pieces
}

interface Reader {
  readonly text: string
  at: number
}

function readVariable(reader: Reader, place: Variable['place'], nesting: number): Variable {
  if (nesting > MAX_NESTING) throw new JmesPathError('JMESPATH_LIMIT', 'variables are nested too deeply')
  const { text } = reader
  const pieces: Piece[] = []
  let plain = ''
  let quote: Quote = ''
  let braces = 0
  reader.at += 2
  while (reader.at < text.length) {
    const character = text.charAt(reader.at)
    if (text.startsWith('{{', reader.at)) {
      pieces.push(plain, readVariable(reader, quote === '' && plain.endsWith('.') ? '.' : quote, nesting + 1))
      plain = ''
      continue
    }
    if (quote === '' && braces === 0 && text.startsWith('}}', reader.at)) {
      reader.at += 2
      return { pieces: [...pieces, plain], place }
    }
    if (quote === '') braces += character === '{' ? 1 : character === '}' ? -1 : 0
    plain += character
    reader.at++
    if (character === '\\' && quote !== '') plain += text.charAt(reader.at++)
    else if (isQuote(character)) quote = quote === '' ? character : quote === character ? '' : quote
  }
  throw new JmesPathError('JMESPATH_SYNTAX', 'a variable does not end', { expected: '}}', found: quoted(text) })
}

function isQuote(character: string): character is "'" | '"' | '`' {
  return character === "'" || character === '"' || character === '`'
}
