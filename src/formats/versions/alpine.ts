/** Versions of Alpine packages (apk-package(5)). @module */
import { compareDigits, compareText, orderOf, type CompareVersions } from './order.js'

/** Suffixes below zero are of prereleases, those above of what came after. */
const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ['alpha', -4],
  ['beta', -3],
  ['pre', -2],
  ['rc', -1],
  ['cvs', 1],
  ['svn', 2],
  ['git', 3],
  ['hg', 4],
  ['p', 5],
])

/** Kinds in the order in which they may follow each other: the earlier a kind, the higher the version that has it. */
const KINDS = ['number', 'letter', 'suffix', 'suffixNumber', 'hash', 'revision', 'end'] as const

interface Token {
  readonly kind: (typeof KINDS)[number]
  readonly text: string
}

const END: Token = { kind: 'end', text: '' }
// A number behind the letter (`1.8.31p1`) is of before the format was written down; packages had it.
const ALPINE = /^(\d+(?:\.\d+)*)([a-z]?)(\d*)((?:_[a-z]+\d*)*)(~[0-9a-f]+)?(?:-r(\d+))?$/

function parse(text: string): readonly Token[] | undefined {
  const match = ALPINE.exec(text.trim())
  if (match === null) return undefined
  const [, numbers = '', letter = '', letterNumber = '', suffixes = '', hash, revision] = match
  const suffixTokens: Token[] = []
  for (const [, name = '', number = ''] of suffixes.matchAll(/_([a-z]+)(\d*)/g)) {
    if (!SUFFIXES.has(name)) return undefined
    suffixTokens.push({ kind: 'suffix', text: name })
    if (number !== '') suffixTokens.push({ kind: 'suffixNumber', text: number })
  }
  return [
    ...numbers.split('.').map((digits): Token => ({ kind: 'number', text: digits })),
    ...(letter === '' ? [] : [{ kind: 'letter', text: letter } as const]),
    ...(letterNumber === '' ? [] : [{ kind: 'suffixNumber', text: letterNumber } as const]),
    ...suffixTokens,
    ...(hash === undefined ? [] : [{ kind: 'hash', text: hash } as const]),
    ...(revision === undefined ? [] : [{ kind: 'revision', text: revision } as const]),
    END,
  ]
}

function compare(a: readonly Token[], b: readonly Token[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x = END, y = END] = [a[index], b[index]]
    const order = x.kind === y.kind ? compareTokens(x, y, index) : compareKinds(x, y)
    if (order !== 0) return order
  }
  return 0
}

function compareTokens(a: Token, b: Token, index: number): number {
  if (a.kind === 'suffix') return (SUFFIXES.get(a.text) ?? 0) - (SUFFIXES.get(b.text) ?? 0)
  if (a.kind === 'letter' || a.kind === 'hash') return compareText(a.text, b.text)
  // Behind a dot, a leading zero makes it a fraction: 1.06 comes before 1.5.
  const fraction = a.kind === 'number' && index > 0 && (a.text.startsWith('0') || b.text.startsWith('0'))
  return fraction ? compareText(a.text, b.text) : compareDigits(a.text, b.text)
}

function compareKinds(a: Token, b: Token): number {
  const isPrerelease = ({ kind, text }: Token): boolean => kind === 'suffix' && (SUFFIXES.get(text) ?? 0) < 0
  if (isPrerelease(a)) return -1
  if (isPrerelease(b)) return 1
  return KINDS.indexOf(b.kind) - KINDS.indexOf(a.kind)
}

export const compareAlpine: CompareVersions = orderOf(parse, compare)
