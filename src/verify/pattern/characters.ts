/**
 * Sets of Unicode code points, as patterns use them.
 *
 * @module
 */

/** A set of code points. Membership is decided in constant time. */
export interface CharacterSet {
  has(point: number): boolean
  /** The only member, where the set was written as one character. */
  readonly single?: number
}

const single = new Map<number, CharacterSet>()

/** One character. Those of ASCII are the same for all patterns, of which a cluster has thousands. */
export function oneCharacter(point: number): CharacterSet {
  const known = single.get(point)
  if (known !== undefined) return known
  const set = { has: (candidate: number): boolean => candidate === point, single: point }
  if (point < 0x80) single.set(point, set)
  return set
}

/** A range, both ends included. */
export function characterRange(from: number, to: number): CharacterSet {
  return { has: (point) => point >= from && point <= to }
}

/** `.`: everything, but without the flag `s` no newline. */
export function anyCharacter(withNewline: boolean): CharacterSet {
  return { has: (point) => withNewline || point !== 0x0a }
}

/** What is in one of several sets. */
export function anyOf(sets: readonly CharacterSet[]): CharacterSet {
  return { has: (point) => sets.some((set) => set.has(point)) }
}

/** What is not in the set. */
export function noneOf(set: CharacterSet): CharacterSet {
  return { has: (point) => !set.has(point) }
}

/** The set without regard to case: what folds to a member is a member. */
export function ignoringCase(set: CharacterSet): CharacterSet {
  return { has: (point) => set.has(point) || caseVariants(point).some((variant) => set.has(variant)) }
}

function caseVariants(point: number): readonly number[] {
  const character = String.fromCodePoint(point)
  // A variant of several characters (ß → SS) is no variant of one character, as in RE2's simple folding.
  return [character.toLowerCase(), character.toUpperCase()]
    .filter((variant) => Array.from(variant).length === 1)
    .map((variant) => variant.codePointAt(0) ?? point)
}

function matching(one: RegExp): CharacterSet {
  return { has: (point) => one.test(String.fromCodePoint(point)) }
}

/** Whether a code point counts as part of a word for `\b`; ASCII, as in RE2. */
export function isWord(point: number | undefined): boolean {
  return point !== undefined && point < 0x80 && /\w/.test(String.fromCodePoint(point))
}

const DIGIT = matching(/^[0-9]$/)
const SPACE = matching(/^[\t\n\f\r ]$/)
const WORD = matching(/^\w$/)

/** `\d` and its relatives; ASCII, as in RE2. */
export const ESCAPED_SETS: ReadonlyMap<string, CharacterSet> = new Map([
  ['d', DIGIT],
  ['D', noneOf(DIGIT)],
  ['s', SPACE],
  ['S', noneOf(SPACE)],
  ['w', WORD],
  ['W', noneOf(WORD)],
])

const POSIX: ReadonlyMap<string, CharacterSet> = new Map([
  ['alnum', matching(/^[0-9A-Za-z]$/)],
  ['alpha', matching(/^[A-Za-z]$/)],
  ['ascii', characterRange(0, 0x7f)],
  ['blank', matching(/^[\t ]$/)],
  ['cntrl', anyOf([characterRange(0, 0x1f), oneCharacter(0x7f)])],
  ['digit', DIGIT],
  ['graph', characterRange(0x21, 0x7e)],
  ['lower', matching(/^[a-z]$/)],
  ['print', characterRange(0x20, 0x7e)],
  ['punct', matching(/^[!-/:-@[-`{-~]$/)],
  ['space', matching(/^[\t\n\v\f\r ]$/)],
  ['upper', matching(/^[A-Z]$/)],
  ['word', WORD],
  ['xdigit', matching(/^[0-9A-Fa-f]$/)],
])

/** The set behind `[:name:]`. */
export function posixSet(name: string): CharacterSet | undefined {
  return POSIX.get(name)
}

const GENERAL_CATEGORY = /^(?:L[ulmot]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfso]?)$/

/** The set behind `\p{name}`: a general category, or a script. */
export function propertySet(name: string): CharacterSet | undefined {
  if (!/^[A-Za-z_]+$/.test(name)) return undefined
  const property = GENERAL_CATEGORY.test(name) ? name : `Script=${name}`
  try {
    return matching(new RegExp(`^\\p{${property}}$`, 'u'))
  } catch {
    return undefined // the runtime knows no such script
  }
}

/** Escapes of single characters that C has. */
export const C_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['t', 9],
  ['n', 10],
  ['r', 13],
  ['v', 11],
])
