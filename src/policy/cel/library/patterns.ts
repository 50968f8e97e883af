/** What patterns find: the functions of Kubernetes, and CEL's extension. @module */
import type { Match, Pattern } from '#verify/pattern/pattern'
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library, World } from '../environment.js'
import { int, list, optional, string } from '../kind.js'
import { NONE, Optional } from '../values.js'
import type { CelList } from '../values.js'

const texts = list(string)

function* occurrences(text: string, pattern: Pattern, { budget }: World): Generator<Match> {
  budget.match(text.length, pattern.size)
  for (const match of pattern.occurrences(text)) {
    // Looking further than a match ends, again and again, may take longer than looking once.
    budget.match(match.scanned, pattern.size)
    yield match
  }
}

function findAll(
  text: string,
  source: string,
  { limit, world }: { readonly limit: bigint; readonly world: World },
): CelList {
  const found: string[] = []
  const pattern = world.pattern(source)
  if (limit === 0n) return found
  for (const match of occurrences(text, pattern, world)) {
    world.budget.element(found.push(match.text))
    if (BigInt(found.length) === limit) break
  }
  return found
}

/** @throws CelError `CEL_EVALUATION` */
function withOneGroup(pattern: Pattern): Pattern {
  if (pattern.groups <= 1) return pattern
  throw evaluationError('regular expression has more than one capturing group', { found: pattern.source.slice(0, 60) })
}

/** What the group found, or all of it where there is no group. */
function wanted({ groups }: Pattern, match: Match): string | undefined {
  if (groups === 0) return match.text
  const [group = ''] = match.groups
  return group === '' ? undefined : group
}

function extract([text, source]: readonly [string, string], world: World): Optional {
  const pattern = withOneGroup(world.pattern(source))
  for (const match of occurrences(text, pattern, world)) {
    const found = wanted(pattern, match)
    return found === undefined ? NONE : new Optional(found)
  }
  return NONE
}

function extractAll([text, source]: readonly [string, string], world: World): CelList {
  const pattern = withOneGroup(world.pattern(source))
  return [...occurrences(text, pattern, world)]
    .map((match) => wanted(pattern, match))
    .filter((each) => each !== undefined)
}

interface Replacing {
  readonly source: string
  readonly by: string
  /** Less than none: all. */
  readonly times: bigint
}

function replace(text: string, { source, by, times }: Replacing, world: World): string {
  if (times === 0n) return text
  const pattern = world.pattern(source)
  const template = templateOf(by, pattern)
  const parts: string[] = []
  let end = 0
  let count = 0n
  let length = text.length
  for (const match of occurrences(text, pattern, world)) {
    // All of it is looked at for each match, and what it comes to may be short.
    world.budget.spend(template.length)
    const part = template.map((each) => filledIn(each, match)).join('')
    length += part.length
    world.budget.make(length)
    parts.push(text.slice(end, match.start), part)
    end = match.end
    if (++count === times) break
  }
  return parts.join('') + text.slice(end)
}

/**
 * What a match is replaced by: texts, and numbers of groups. `\1` stands for what the first group found, `\0` for all, `\\` for a
 * backslash.
 */
function templateOf(by: string, { groups }: Pattern): readonly (string | number)[] {
  return Array.from(by.matchAll(/\\(.?)|[^\\]+/gsu), ([whole, next]) => {
    if (next === undefined) return whole
    if (next === '\\') return next
    if (!/^\d$/.test(next)) throw evaluationError(`invalid replacement string: '${by.slice(0, 60)}'`)
    const index = Number(next)
    if (index <= groups) return index
    throw evaluationError(`replacement string references group ${next} but regex has only ${String(groups)} group(s)`)
  })
}

function filledIn(part: string | number, { text, groups }: Match): string {
  if (typeof part === 'string') return part
  return part === 0 ? text : (groups[part - 1] ?? '')
}

export const PATTERNS: Library = {
  find: [
    member([string, string], string, ([text, source], world) => {
      const [found] = findAll(text, source, { limit: 1n, world })
      return found ?? ''
    }),
  ],
  findAll: [
    member([string, string], texts, ([text, source], world) => findAll(text, source, { limit: -1n, world })),
    member([string, string, int], texts, ([text, source, limit], world) => findAll(text, source, { limit, world })),
  ],
  'regex.extract': [free([string, string], optional(string), extract)],
  'regex.extractAll': [free([string, string], texts, extractAll)],
  'regex.replace': [
    free([string, string, string], string, ([text, source, by], world) =>
      replace(text, { source, by, times: -1n }, world),
    ),
    free([string, string, string, int], string, ([text, source, by, times], world) =>
      replace(text, { source, by, times }, world),
    ),
  ],
}
