/** The command line, read with the habits of pflag. @module */
import type { CommandData } from './command.js'
import { UsageError } from './errors.js'
import { type Flag, type Flags, type FlagValue, GLOBAL_FLAGS } from './flags.js'
import { nearest } from './suggest.js'
import { readFlagValue } from './values.js'

export interface ParsedArguments {
  readonly args: readonly string[]
  /** By the flag's own name; only those that were set. */
  readonly values: ReadonlyMap<string, FlagValue>
  /** What to tell the user on standard error. */
  readonly warnings: readonly string[]
}

/** All flags of a command, its own and the global ones. */
export function allFlags(command: Pick<CommandData, 'flags'>): Flags {
  return { ...GLOBAL_FLAGS, ...command.flags }
}

/**
 * Splits the words after the command's name into flags and arguments. Flags may stand anywhere before `--`.
 * @throws {@link UsageError} for a flag that there is not, or a value that does not fit.
 */
export function parseArguments(command: CommandData, words: readonly string[]): ParsedArguments {
  return new Parser(allFlags(command)).parse(words)
}

class Parser {
  readonly #flags: Flags
  readonly #byName = new Map<string, string>()
  readonly #byLetter = new Map<string, string>()
  readonly #values = new Map<string, FlagValue>()
  readonly #warnings: string[] = []
  #words: string[] = []

  constructor(flags: Flags) {
    this.#flags = flags
    for (const [name, flag] of Object.entries(flags)) {
      this.#byName.set(name, name)
      for (const alias of flag.aliases ?? []) this.#byName.set(alias, name)
      if (flag.short !== undefined) this.#byLetter.set(flag.short, name)
    }
  }

  parse(words: readonly string[]): ParsedArguments {
    this.#words = [...words]
    const args: string[] = []
    for (let word = this.#words.shift(); word !== undefined; word = this.#words.shift()) {
      if (word === '--') {
        args.push(...this.#words)
        break
      }
      if (word === '-' || !word.startsWith('-')) args.push(word)
      else this.#flag(this.#normalise(word))
    }
    return { args, values: this.#values, warnings: this.#warnings }
  }

  /** `-bundle` is taken as `--bundle` and `--o` as `-o`, with a warning, where that is a flag of the command. */
  #normalise(word: string): string {
    const single = /^-([a-zA-Z][a-zA-Z0-9-]+)(=.*)?$/s.exec(word)
    if (single?.[1] !== undefined && this.#byName.has(single[1])) {
      this.#warnings.push(
        `WARNING: the -${single[1]} flag is deprecated and will be removed in a future release. ` +
          `Please use the --${single[1]} flag instead.`,
      )
      return `-${word}`
    }
    const double = /^--([a-zA-Z])(=.*)?$/s.exec(word)
    if (double?.[1] !== undefined && this.#byLetter.has(double[1])) {
      this.#warnings.push(
        `WARNING: the flag --${double[1]} is deprecated and will be removed in a future release. ` +
          `Please use the flag -${double[1]}.`,
      )
      return word.slice(1)
    }
    return word
  }

  #flag(word: string): void {
    if (word.startsWith('--')) this.#longFlag(word)
    else this.#letters(word)
  }

  #longFlag(word: string): void {
    const equals = word.indexOf('=')
    const given = equals === -1 ? word.slice(2) : word.slice(2, equals)
    const name = this.#byName.get(given)
    const flag = name === undefined ? undefined : this.#flags[name]
    if (name === undefined || flag === undefined) throw this.#unknown(`unknown flag: --${given}`, given)
    if (equals !== -1) this.#set(name, flag, word.slice(equals + 1))
    else if (flag.kind === 'boolean') this.#set(name, flag, 'true')
    else this.#set(name, flag, this.#next(`--${given}`))
  }

  /** `-y`, `-yr`, `-akey=value`, `-a=key=value`, `-a key=value`. */
  #letters(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const letter = word.charAt(at)
      const name = this.#byLetter.get(letter)
      const flag = name === undefined ? undefined : this.#flags[name]
      if (name === undefined || flag === undefined) {
        throw this.#unknown(`unknown shorthand flag: '${letter}' in ${word}`, word.slice(1))
      }
      const rest = word.slice(at + 1)
      if (rest.startsWith('=')) return this.#set(name, flag, rest.slice(1))
      if (flag.kind === 'boolean') this.#set(name, flag, 'true')
      else return this.#set(name, flag, rest === '' ? this.#next(`-${letter}`) : rest)
    }
  }

  #next(shownAs: string): string {
    const value = this.#words.shift()
    if (value === undefined) throw new UsageError('USAGE_FLAG_ARGUMENT', `flag needs an argument: ${shownAs}`)
    return value
  }

  #set(name: string, flag: Flag, text: string): void {
    const value = setFlag(this.#values.get(name), flag, { shownAs: shownName(name, flag), text })
    this.#values.set(name, value)
    const notice = deprecationNotice(name, flag)
    if (notice !== undefined) this.#warnings.push(notice)
  }

  #unknown(message: string, given: string): UsageError {
    const visible = Object.entries(this.#flags).filter(
      ([, flag]) => flag.deprecated === undefined && flag.hidden !== true,
    )
    const match = nearest(
      given,
      visible.map(([name]) => name),
    )
    return new UsageError('USAGE_UNKNOWN_FLAG', message, {
      hint: match === undefined ? 'the flags are listed with --help' : `did you mean --${match}?`,
    })
  }
}

/** What a flag is called in messages: `-a, --annotations`. */
export function shownName(name: string, flag: Flag): string {
  return flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`
}

/** The line that tells about a deprecated flag, if it is one. */
export function deprecationNotice(name: string, flag: Flag): string | undefined {
  return flag.deprecated === undefined ? undefined : `Flag --${name} has been deprecated, ${flag.deprecated}`
}

/** The value of a flag after one more text was given for it: lists grow, everything else is replaced. */
export function setFlag(
  before: FlagValue,
  flag: Flag,
  { shownAs, text }: { readonly shownAs: string; readonly text: string },
): FlagValue {
  const value = readFlagValue(flag, shownAs, text)
  if (typeof value !== 'object') return value
  return [...(Array.isArray(before) ? (before as readonly string[]) : []), ...value]
}
