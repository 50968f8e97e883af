/**
 * Patterns for identities: RE2-like, always matching the whole value, in linear time.
 *
 * @module
 */
import { compileProgram, runProgram } from './program.js'
import type { Program } from './program.js'
import { parsePattern } from './syntax.js'

/** A compiled pattern. There is no other way to have one than {@link compilePattern}. */
export class Pattern {
  readonly source: string
  readonly #program: Program

  constructor(source: string) {
    this.source = source
    this.#program = compileProgram(parsePattern(source))
  }

  /** Instructions: a match takes at most so many steps a character. */
  get size(): number {
    return this.#program.length
  }

  /**
   * Whether the pattern matches all of the text.
   *
   * An unanchored match, as cosign makes it, lets `https://github.com/acme` accept
   * `https://evil.example/?https://github.com/acme`; here such a pattern has to say `.*` itself.
   */
  matches(text: string): boolean {
    return runProgram(this.#program, text, 'whole')
  }

  /** Whether the pattern matches some part of the text. A reason to accept only where somebody asked for that by name. */
  occursIn(text: string): boolean {
    return runProgram(this.#program, text, 'part')
  }
}

/**
 * Compiles a pattern.
 * @throws VerificationError `VERIFY_PATTERN` if it is not of the supported syntax.
 */
export function compilePattern(source: string): Pattern {
  return new Pattern(source)
}
