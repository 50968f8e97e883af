/**
 * The syntax of identity patterns: a documented subset of RE2, parsed into a small tree.
 *
 * Read: literals, `.`, `[…]` and `[^…]` with ranges and `[:name:]`, `\d \D \s \S \w \W`, `\pL` and `\p{Name}`, `\b \B`,
 * `^ $ \A \z`, `(…)`, `(?:…)`, `(?P<name>…)`, `(?<name>…)`, the flags `i s m U` as `(?i)` or `(?i:…)`, `|`, and `* + ? {n} {n,} {n,m}`,
 * lazy or not (which matters only to what is found, not to whether), `\Q…\E`, `\x7F`, `\x{10FFFF}` and the C escapes.
 * Refused, as RE2 refuses them: back-references and look-around, which is what makes matching linear.
 *
 * @module
 */
import { VerificationError } from '../errors.js'
import {
  anyCharacter,
  anyOf,
  C_ESCAPES,
  characterRange,
  ESCAPED_SETS,
  ignoringCase,
  noneOf,
  oneCharacter,
  posixSet,
  propertySet,
} from './characters.js'
import type { CharacterSet } from './characters.js'

/** A place that can be asserted without consuming a character. */
export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-boundary' | 'no-word-boundary'

/** A parsed pattern. */
export type Node =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'either'; readonly nodes: readonly Node[] }
  | {
      readonly kind: 'repeat'
      readonly node: Node
      readonly min: number
      readonly max: number
      /** Fewer times are tried first. */
      readonly lazy: boolean
    }
  /** What is found of it can be asked for. */
  | { readonly kind: 'group'; readonly node: Node; readonly index: number }

/** RE2's own limit on a counted repetition. */
export const MAX_REPEAT = 1000
const MAX_LENGTH = 4096
const MAX_DEPTH = 100

interface Flags {
  readonly ignoreCase: boolean
  readonly dotAll: boolean
  readonly multiline: boolean
  /** Repetitions are lazy, and with a question mark they are not. */
  readonly ungreedy: boolean
}

const POSTFIX: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['*', [0, Infinity]],
  ['+', [1, Infinity]],
  ['?', [0, 1]],
])

/**
 * Parses a pattern.
 * @throws {@link VerificationError} `VERIFY_PATTERN` with the position of what could not be read.
 */
export function parsePattern(source: string): Node {
  if (source.length > MAX_LENGTH) {
    throw new VerificationError('VERIFY_PATTERN', 'the pattern is too long', {
      expected: `at most ${String(MAX_LENGTH)} characters`,
      found: String(source.length),
    })
  }
  return new PatternParser(source).parse()
}

class PatternParser {
  readonly #source: string
  #at = 0
  #depth = 0
  #groups = 0
  #flags: Flags = { ignoreCase: false, dotAll: false, multiline: false, ungreedy: false }

  constructor(source: string) {
    this.#source = source
  }

  parse(): Node {
    const node = this.#alternatives()
    if (this.#at < this.#source.length) throw this.#refuse('unmatched closing parenthesis')
    return node
  }

  #alternatives(): Node {
    if (++this.#depth > MAX_DEPTH) throw this.#refuse(`groups nested deeper than ${String(MAX_DEPTH)}`)
    const nodes = [this.#sequence()]
    while (this.#take('|')) nodes.push(this.#sequence())
    this.#depth--
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'either', nodes }
  }

  #sequence(): Node {
    const nodes: Node[] = []
    while (this.#at < this.#source.length && !this.#looking('|') && !this.#looking(')')) {
      if (this.#take('\\Q')) {
        nodes.push(...this.#quoted())
        continue
      }
      const atom = this.#atom()
      if (atom !== undefined) nodes.push(this.#repeated(atom))
    }
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'sequence', nodes }
  }

  /** Literal characters up to `\\E`; what follows that repeats the last one. */
  #quoted(): Node[] {
    const nodes: Node[] = []
    while (this.#at < this.#source.length && !this.#looking('\\E')) nodes.push(this.#literal(this.#next()))
    this.#take('\\E')
    const last = nodes.pop()
    return last === undefined ? nodes : [...nodes, this.#repeated(last)]
  }

  /** One atom, or undefined for a flag group such as `(?i)`, which only changes what follows. */
  #atom(): Node | undefined {
    const character = this.#next()
    if (character === '(') return this.#group()
    if (character === '[') return { kind: 'set', set: this.#bracket() }
    if (character === '\\') return this.#escape()
    if (character === '.') return { kind: 'set', set: anyCharacter(this.#flags.dotAll) }
    if (character === '^') return { kind: 'assert', assertion: this.#flags.multiline ? 'line-start' : 'text-start' }
    if (character === '$') return { kind: 'assert', assertion: this.#flags.multiline ? 'line-end' : 'text-end' }
    if (POSTFIX.has(character)) throw this.#refuse(`nothing to repeat before "${character}"`)
    return this.#literal(character)
  }

  #repeated(atom: Node): Node {
    let node = atom
    let times = 0
    for (let range = this.#repetition(); range !== undefined; range = this.#repetition()) {
      if (++times > 1) throw this.#refuse('a repetition of a repetition; put the inner one in a group')
      const lazy = this.#take('?') !== this.#flags.ungreedy
      node = { kind: 'repeat', node, min: range[0], max: range[1], lazy }
    }
    return node
  }

  #repetition(): readonly [number, number] | undefined {
    const postfix = POSTFIX.get(this.#source.charAt(this.#at))
    if (postfix !== undefined) {
      this.#at++
      return postfix
    }
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at, this.#at + 16))
    if (counted === null) return undefined // as in RE2, a brace that counts nothing is a literal
    const [whole, low = '', comma, high] = counted
    const min = Number(low)
    const max = comma === undefined ? min : high === '' || high === undefined ? Infinity : Number(high)
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) {
      throw this.#refuse(`the repetition ${whole} is out of range`)
    }
    this.#at += whole.length
    return [min, max]
  }

  #group(): Node | undefined {
    const outer = this.#flags
    let index: number | undefined
    if (!this.#take('?') || this.#takeName()) index = ++this.#groups
    else if (!this.#take(':') && !this.#takeFlags()) return undefined
    const node = this.#alternatives()
    if (!this.#take(')')) throw this.#refuse('a group is not closed')
    this.#flags = outer
    return index === undefined ? node : { kind: 'group', node, index }
  }

  #takeName(): boolean {
    const name = /^P?<([A-Za-z_]\w*)>/.exec(this.#source.slice(this.#at, this.#at + 80))
    if (name === null) return false
    this.#at += name[0].length
    return true
  }

  /** Reads `i-s:` or `i-s)`: true if a group follows, false if the flags hold for the rest of the group around. */
  #takeFlags(): boolean {
    const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#source.slice(this.#at, this.#at + 20))
    if (flags === null || flags[0] === ':' || flags[0] === ')') {
      throw this.#refuse('look-around, back-references and unknown flags are not part of the syntax')
    }
    const [whole, on = '', off = '', end] = flags
    const flag = (letter: string, now: boolean): boolean => (now || on.includes(letter)) && !off.includes(letter)
    this.#flags = {
      ignoreCase: flag('i', this.#flags.ignoreCase),
      dotAll: flag('s', this.#flags.dotAll),
      multiline: flag('m', this.#flags.multiline),
      ungreedy: flag('U', this.#flags.ungreedy),
    }
    this.#at += whole.length
    return end === ':'
  }

  #escape(): Node {
    const letter = this.#next()
    if (letter === 'A') return { kind: 'assert', assertion: 'text-start' }
    if (letter === 'z') return { kind: 'assert', assertion: 'text-end' }
    if (letter === 'b') return { kind: 'assert', assertion: 'word-boundary' }
    if (letter === 'B') return { kind: 'assert', assertion: 'no-word-boundary' }
    return { kind: 'set', set: this.#folded(this.#escapedSet(letter)) }
  }

  /** What `\letter` stands for, inside or outside of brackets. */
  #escapedSet(letter: string): CharacterSet {
    const known = ESCAPED_SETS.get(letter)
    if (known !== undefined) return known
    if (letter === 'p' || letter === 'P') return this.#property(letter === 'P')
    return oneCharacter(this.#escapedPoint(letter))
  }

  #escapedPoint(letter: string): number {
    const c = C_ESCAPES.get(letter)
    if (c !== undefined) return c
    if (letter === 'x') {
      const hex = /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(this.#source.slice(this.#at, this.#at + 8))
      const point = Number.parseInt(hex?.[1] ?? hex?.[2] ?? '', 16)
      if (hex === null || point > 0x10ffff) throw this.#refuse('a malformed \\x escape')
      this.#at += hex[0].length
      return point
    }
    if (/^[A-Za-z0-9]$/.test(letter)) throw this.#refuse(`\\${letter} is not part of the syntax`)
    return codePoint(letter)
  }

  #property(negated: boolean): CharacterSet {
    const name = /^(?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))/.exec(this.#source.slice(this.#at, this.#at + 40))
    const set = propertySet(name?.[2] ?? name?.[3] ?? '')
    if (name === null || set === undefined) throw this.#refuse('an unknown Unicode class')
    this.#at += name[0].length
    return negated === (name[1] === '^') ? set : noneOf(set)
  }

  #bracket(): CharacterSet {
    const negated = this.#take('^')
    const items: CharacterSet[] = []
    while (items.length === 0 || !this.#looking(']')) items.push(this.#bracketItem())
    this.#at++
    const set = this.#folded(anyOf(items))
    return negated ? noneOf(set) : set
  }

  #bracketItem(): CharacterSet {
    if (this.#looking('[:')) {
      const name = /^\[:(\^?)([a-z]+):\]/.exec(this.#source.slice(this.#at, this.#at + 20))
      const set = posixSet(name?.[2] ?? '')
      if (name === null || set === undefined) throw this.#refuse('an unknown [:class:]')
      this.#at += name[0].length
      return name[1] === '^' ? noneOf(set) : set
    }
    const low = this.#bracketEnd()
    if (!this.#looking('-') || this.#source.charAt(this.#at + 1) === ']') return low
    this.#at++
    const from = low.single
    const to = this.#bracketEnd().single
    if (from === undefined || to === undefined || to < from) throw this.#refuse('a malformed range in brackets')
    return characterRange(from, to)
  }

  #bracketEnd(): CharacterSet {
    const character = this.#next()
    return character === '\\' ? this.#escapedSet(this.#next()) : oneCharacter(codePoint(character))
  }

  #literal(character: string): Node {
    return { kind: 'set', set: this.#folded(oneCharacter(codePoint(character))) }
  }

  #folded(set: CharacterSet): CharacterSet {
    return this.#flags.ignoreCase ? ignoringCase(set) : set
  }

  #looking(text: string): boolean {
    return this.#source.startsWith(text, this.#at)
  }

  #take(text: string): boolean {
    if (!this.#looking(text)) return false
    this.#at += text.length
    return true
  }

  #next(): string {
    const point = this.#source.codePointAt(this.#at)
    if (point === undefined) throw this.#refuse('the pattern ends too early')
    const character = String.fromCodePoint(point)
    this.#at += character.length
    return character
  }

  #refuse(why: string): VerificationError {
    return new VerificationError('VERIFY_PATTERN', `the pattern cannot be used: ${why}`, {
      expected: 'a regular expression of the RE2 subset that docs/differences.md describes',
      found: `${this.#source.slice(0, this.#at).slice(-40)} ⟵ here (position ${String(this.#at)})`,
    })
  }
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0
}
