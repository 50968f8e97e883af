/** Which command a command line means. @module */
import { UsageError } from './errors.js'
import { nearest } from './suggest.js'

/** Global flags that take the next word as their value. */
const WITH_VALUE = new Set(['--output-file', '--timeout', '-t'])
const NAME = /^[a-z][a-z0-9-]*$/

export type Located =
  | { readonly kind: 'command'; readonly name: string; readonly words: readonly string[] }
  /** The list of commands, or of those in a group. */
  | { readonly kind: 'overview'; readonly group?: string; readonly full: boolean }

export interface CommandNames {
  /** Whether there is such a command: `sign`, `trusted-root create`. */
  has(name: string): boolean
  /** All names, for suggestions; only asked when something is wrong. */
  all(): readonly string[]
}

/**
 * Finds the command in the words after the program's name; flags may stand before it.
 * @throws {@link UsageError} `USAGE_UNKNOWN_COMMAND`
 */
export function locateCommand(words: readonly string[], names: CommandNames): Located {
  const positions = positionals(words)
  const [first, second] = [wordAt(words, positions[0]), wordAt(words, positions[1])]
  if (first === undefined) {
    if (words.some((word) => word === '--version' || word === '-version'))
      return { kind: 'command', name: 'version', words: [] }
    return { kind: 'overview', full: words.includes('--help-all') }
  }
  if (first === 'help')
    return locateHelp(
      words.filter((_, index) => index !== positions[0]),
      names,
    )
  // The longer name first: `inventory` is a command, and `inventory find` is another.
  if (second !== undefined && NAME.test(first) && NAME.test(second) && names.has(`${first} ${second}`)) {
    return { kind: 'command', name: `${first} ${second}`, words: without(words, positions.slice(0, 2)) }
  }
  if (NAME.test(first) && names.has(first))
    return { kind: 'command', name: first, words: without(words, positions.slice(0, 1)) }
  return locateGroup(first, second, names)
}

function locateGroup(first: string, second: string | undefined, names: CommandNames): Located {
  const all = names.all()
  const members = all.filter((name) => name.startsWith(`${first} `))
  if (members.length > 0 && second === undefined) return { kind: 'overview', group: first, full: false }
  const typed = members.length > 0 && second !== undefined ? `${first} ${second}` : first
  const match = nearest(typed, members.length > 0 ? members : all)
  throw new UsageError('USAGE_UNKNOWN_COMMAND', `unknown command ${JSON.stringify(typed)} for "countersign"`, {
    hint: match === undefined ? '"countersign help" lists the commands' : `did you mean "countersign ${match}"?`,
  })
}

function locateHelp(words: readonly string[], names: CommandNames): Located {
  const located = locateCommand(words, names)
  return located.kind === 'command' ? { ...located, words: [...located.words, '--help'] } : located
}

/** Where the words stand that are neither flags nor values of global flags. */
function positionals(words: readonly string[]): readonly number[] {
  const found: number[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') break
    if (WITH_VALUE.has(word)) at++
    else if (!word.startsWith('-')) found.push(at)
  }
  return found
}

function wordAt(words: readonly string[], position: number | undefined): string | undefined {
  return position === undefined ? undefined : words[position]
}

function without(words: readonly string[], positions: readonly number[]): readonly string[] {
  return words.filter((_, index) => !positions.includes(index))
}
