/** Versions of Maven packages (POM reference, "Version Order Specification"). @module */
import { compareDigits, compareText, orderOf, type CompareVersions } from './order.js'

interface Token {
  readonly prefix: '.' | '-'
  /** Digits, or a qualifier in lower case. */
  readonly text: string
}

/** Qualifiers below and above a release, which is the empty one; any other comes after all of these, by its letters. */
const QUALIFIERS: ReadonlyMap<string, number> = new Map([
  ['alpha', 0],
  ['beta', 1],
  ['milestone', 2],
  ['rc', 3],
  ['cr', 3],
  ['snapshot', 4],
  ['', 5],
  ['final', 5],
  ['ga', 5],
  ['release', 5],
  ['sp', 6],
])
const OTHERS = 7
const RELEASE = QUALIFIERS.get('')
/** Short names, right before a number only. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
])

function parse(text: string): readonly Token[] | undefined {
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined
  const tokens: Token[] = []
  let prefix: Token['prefix'] = '.'
  let expected = true // a token: none between two separators is a zero
  for (const piece of text.toLowerCase().match(/[.-]|\d+|[^.\-\d]+/g) ?? []) {
    if (piece === '.' || piece === '-') {
      if (expected) tokens.push({ prefix, text: '0' })
      prefix = piece
      expected = true
      continue
    }
    // Between digits and letters there is a hyphen, though nobody wrote it.
    tokens.push({ prefix: expected ? prefix : '-', text: piece })
    expected = false
  }
  return trim(tokens.map((token, index) => ({ ...token, text: longName(token.text, tokens[index + 1]) })))
}

function longName(text: string, next: Token | undefined): string {
  return next?.prefix === '-' && /^\d/.test(next.text) ? (SHORT.get(text) ?? text) : text
}

/** What means nothing at the end, and before each hyphen, is left out. */
function trim(tokens: readonly Token[]): readonly Token[] {
  const kept: Token[] = []
  for (const token of tokens) {
    if (token.prefix === '-') dropNulls(kept)
    kept.push(token)
  }
  dropNulls(kept)
  return kept
}

function dropNulls(tokens: Token[]): void {
  for (let last = tokens.at(-1); last !== undefined && isNull(last); last = tokens.at(-1)) tokens.pop()
}

function isNull({ text }: Token): boolean {
  return isNumber(text) ? /^0+$/.test(text) : QUALIFIERS.get(text) === RELEASE
}

function isNumber(text: string): boolean {
  return /^\d/.test(text)
}

function compare(a: readonly Token[], b: readonly Token[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x, y] = [a[index], b[index]]
    const order = compareTokens(x ?? missing(y), y ?? missing(x))
    if (order !== 0) return order
  }
  return 0
}

/** What stands in where the other version goes on. */
function missing(other: Token | undefined): Token {
  const { prefix = '.', text = '' } = other ?? {}
  return { prefix, text: isNumber(text) ? '0' : '' }
}

function compareTokens(a: Token, b: Token): number {
  const order = rank(a) - rank(b)
  if (order !== 0) return order
  if (isNumber(a.text)) return compareDigits(a.text, b.text)
  // Until Maven 4 a qualifier behind a dot comes first, whatever it says; what databases say goes by that.
  if (a.prefix !== b.prefix && a.text !== '' && b.text !== '') return a.prefix === '.' ? -1 : 1
  const [known, knownToo] = [QUALIFIERS.get(a.text) ?? OTHERS, QUALIFIERS.get(b.text) ?? OTHERS]
  return known - knownToo || (known === OTHERS ? compareText(a.text, b.text) : 0)
}

/** Qualifiers, then numbers behind a hyphen, then numbers behind a dot. */
function rank({ prefix, text }: Token): number {
  if (!isNumber(text)) return 0
  return prefix === '-' ? 1 : 2
}

export const compareMaven: CompareVersions = orderOf(parse, compare)
