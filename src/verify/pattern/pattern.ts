/**
 * Patterns: RE2-like, in linear time. Identities always match them as a whole.
 *
 * @module
 */
import { Machine } from './machine.js'
import { compileProgram } from './program.js'
import type { Program } from './program.js'
import { searchProgram } from './search.js'
import { parsePattern } from './syntax.js'

/** An occurrence of a pattern. */
export interface Match {
  /** Where it starts and ends in the text. */
  readonly start: number
  readonly end: number
  readonly text: string
  /** What each group found, the first one first; undefined where it took no part. */
  readonly groups: readonly (string | undefined)[]
  /** How many characters were looked at to find it. */
  readonly scanned: number
}

/** A compiled pattern. There is no other way to have one than {@link compilePattern}. */
export class Pattern {
  readonly source: string
  /** How many groups have a number. */
  readonly groups: number
  /** How many steps it is compiled to: matching takes at most so much time for each character. */
  readonly size: number
  readonly #program: Program
  readonly #machine: Machine

  constructor(source: string) {
    this.source = source
    this.#program = compileProgram(parsePattern(source))
    this.#machine = new Machine(this.#program)
    this.size = this.#program.length
    const slots = this.#program.map((each) => (each.op === 'save' ? each.slot : 0))
    this.groups = Math.floor(slots.reduce((most, slot) => Math.max(most, slot), 0) / 2)
  }

  /**
   * Whether the pattern matches all of the text.
   *
   * An unanchored match, as cosign makes it, lets `https://github.com/acme` accept
   * `https://evil.example/?https://github.com/acme`; here such a pattern has to say `.*` itself.
   */
  matches(text: string): boolean {
    return this.#machine.matches(text, 'whole')
  }

  /** Whether the pattern matches some part of the text. A reason to accept only where somebody asked for that by name. */
  occursIn(text: string): boolean {
    return this.#machine.matches(text, 'part')
  }

  /** The occurrences that do not overlap, from left to right. An empty one right behind another is none. */
  *occurrences(text: string): Generator<Match> {
    const characters = Array.from(text)
    const points = characters.map((character) => character.codePointAt(0) ?? 0)
    let offset = 0
    let read = 0
    const part = (from: number, to: number): string => characters.slice(from, to).join('')
    let previousEnd = -1
    for (let from = 0; from <= points.length;) {
      const found = searchProgram(this.#program, points, from)
      const [start, end] = found?.slots ?? []
      if (found === undefined || start === undefined || end === undefined) return
      from = end > start ? end : end + 1
      if (end === start && start === previousEnd) continue
      previousEnd = end
      offset += part(read, start).length
      read = start
      const whole = part(start, end)
      const groups = Array.from({ length: this.groups }, (_, index) => {
        const [first, last] = found.slots.slice(index * 2 + 2, index * 2 + 4)
        return first === undefined || last === undefined ? undefined : part(first, last)
      })
      yield { start: offset, end: offset + whole.length, text: whole, groups, scanned: found.scanned }
    }
  }
}

/**
 * Compiles a pattern.
 * @throws VerificationError `VERIFY_PATTERN` if it is not of the supported syntax.
 */
export function compilePattern(source: string): Pattern {
  return new Pattern(source)
}
