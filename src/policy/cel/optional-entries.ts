/**
 * `[?x]` and `{?k: x}`, which the parser's library does not read: before it, their question marks are made into exclamation
 * marks, which it reads as an operator in the same place, and after it they are told from those by where they stand.
 *
 * @module
 */

/** An expression for the parser, and where its optional entries start. */
export interface Prepared {
  readonly source: string
  readonly marks: ReadonlySet<number>
}

const TOKEN = /\s+|\/\/[^\n]*|[A-Za-z_]\w*|\d[\w.]*|"""|'''|["']|./gsu

/** A bracket that is open: of a list or map literal, or of anything else. */
type Bracket = 'literal' | 'other'

export function prepareOptionalEntries(source: string): Prepared {
  const marks = new Set<number>()
  if (!source.includes('?')) return { source, marks }
  const open: Bracket[] = []
  let before = ''
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(source); match !== null; match = TOKEN.exec(source)) {
    const [token] = match
    if (/^(?:\s|\/\/)/.test(token)) continue
    if (/^["']/.test(token))
      TOKEN.lastIndex = endOfText(source, TOKEN.lastIndex, { quote: token, isRaw: /^[rR]$/.test(before) })
    if (token === '?' && open.at(-1) === 'literal' && /^[[{,]$/.test(before)) marks.add(match.index)
    if (/^[[{(]$/.test(token)) open.push(token === '{' || (token === '[' && !endsOperand(before)) ? 'literal' : 'other')
    if (/^[\]})]$/.test(token)) open.pop()
    before = token
  }
  const text = Array.from(marks).reduce((all, at) => `${all.slice(0, at)}!${all.slice(at + 1)}`, source)
  return { source: text, marks }
}

/** After these, a bracket is that of an index. */
function endsOperand(token: string): boolean {
  return token !== 'in' && /^[\w)\]}"']/.test(token)
}

function endOfText(
  source: string,
  from: number,
  { quote, isRaw }: { readonly quote: string; readonly isRaw: boolean },
): number {
  let at = from
  while (at < source.length && !source.startsWith(quote, at)) at += source[at] === '\\' && !isRaw ? 2 : 1
  return at + quote.length
}
