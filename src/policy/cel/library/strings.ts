/** The extension library of strings. Indexes count code points. @module */
import { evaluationError } from '../cel-error.js'
import { member, free } from '../environment.js'
import type { Library, World } from '../environment.js'
import { dyn, int, list, string } from '../kind.js'
import { formatText } from '../format-text.js'
import { quoted } from '../texts.js'
import { typeNameOf } from '../values.js'
import type { CelList } from '../values.js'

function pointsOf(text: string, { budget }: World): readonly string[] {
  budget.points(text.length)
  return [...text]
}

function outOfRange(index: bigint): Error {
  return evaluationError(`index out of range: ${String(index)}`)
}

function charAt([text, index]: readonly [string, bigint], world: World): string {
  const points = pointsOf(text, world)
  if (index < 0n || index > BigInt(points.length)) throw outOfRange(index)
  return points[Number(index)] ?? ''
}

function indexOf(
  text: string,
  part: string,
  { start, world }: { readonly start: bigint; readonly world: World },
): bigint {
  const points = pointsOf(text, world)
  if (start < 0n) throw outOfRange(start)
  if (part === '') return start > BigInt(points.length) ? BigInt(points.length) : start
  if (start >= BigInt(points.length)) return -1n
  const skipped = points.slice(0, Number(start)).join('').length
  const found = text.indexOf(part, skipped)
  return found < 0 ? -1n : BigInt([...text.slice(0, found)].length)
}

/** The last occurrence that starts at the given index or before it. */
function lastIndexOf(
  text: string,
  part: string,
  { start, world }: { readonly start: bigint | undefined; readonly world: World },
): bigint {
  const points = pointsOf(text, world)
  if (start !== undefined && start < 0n) throw outOfRange(start)
  const length = BigInt(points.length)
  if (part === '') return start === undefined || start > length ? length : start
  if (start !== undefined && start >= length) return -1n
  const before = start === undefined ? text.length : points.slice(0, Number(start)).join('').length
  const found = text.lastIndexOf(part, before)
  return found < 0 ? -1n : BigInt([...text.slice(0, found)].length)
}

function replace(
  text: string,
  [from, to]: readonly [string, string],
  { times, world }: { readonly times: bigint; readonly world: World },
): string {
  const parts = from === '' ? ['', ...pointsOf(text, world), ''] : text.split(from)
  const most = times < 0n ? parts.length - 1 : Math.min(Number(times), parts.length - 1)
  world.budget.make(text.length + most * to.length)
  const replaced = parts.slice(0, most + 1).join(to)
  const rest = parts.slice(most + 1)
  return rest.length === 0 ? replaced : `${replaced}${from}${rest.join(from)}`
}

function split(text: string, by: string, { limit, world }: { readonly limit: bigint; readonly world: World }): CelList {
  if (limit === 0n) return []
  const parts = by === '' ? pointsOf(text, world) : text.split(by)
  world.budget.elements(parts.length)
  const most = limit < 0n ? parts.length : Math.min(Number(limit), parts.length)
  if (most >= parts.length) return parts
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(by)]
}

function substring(text: string, [start, end]: readonly [bigint, bigint | undefined], world: World): string {
  const points = pointsOf(text, world)
  const length = BigInt(points.length)
  if (end !== undefined && start > end)
    throw evaluationError(`invalid substring range. start: ${String(start)}, end: ${String(end)}`)
  if (start < 0n || start > length) throw outOfRange(start)
  if (end !== undefined && end > length) throw outOfRange(end)
  return points.slice(Number(start), end === undefined ? undefined : Number(end)).join('')
}

function join(values: CelList, by: string, { budget }: World): string {
  let length = 0
  const texts = values.map((value) => {
    if (typeof value !== 'string') throw evaluationError(`join: invalid input of type ${typeNameOf(value)}`)
    length += value.length + by.length
    budget.make(length)
    return value
  })
  return texts.join(by)
}

/** White space as Unicode has it. */
const EDGES = /^[\s\u0085\u180e]+|[\s\u0085\u180e]+$/g

function trim(text: string, { budget }: World): string {
  budget.read(text.length)
  return text.replace(EDGES, (found) => found.replace(/[^\ufeff\u180e]/g, ''))
}

const all = { limit: -1n, times: -1n }
const texts = list(string)

export const STRINGS: Library = {
  charAt: [member([string, int], string, charAt)],
  indexOf: [
    member([string, string], int, ([text, part], world) => indexOf(text, part, { start: 0n, world })),
    member([string, string, int], int, ([text, part, start], world) => indexOf(text, part, { start, world })),
  ],
  lastIndexOf: [
    member([string, string], int, ([text, part], world) => lastIndexOf(text, part, { start: undefined, world })),
    member([string, string, int], int, ([text, part, start], world) => lastIndexOf(text, part, { start, world })),
  ],
  lowerAscii: [member([string], string, ([text]) => text.replace(/[A-Z]+/g, (run) => run.toLowerCase()))],
  upperAscii: [member([string], string, ([text]) => text.replace(/[a-z]+/g, (run) => run.toUpperCase()))],
  replace: [
    member([string, string, string], string, ([text, from, to], world) =>
      replace(text, [from, to], { times: all.times, world }),
    ),
    member([string, string, string, int], string, ([text, from, to, times], world) =>
      replace(text, [from, to], { times, world }),
    ),
  ],
  split: [
    member([string, string], texts, ([text, by], world) => split(text, by, { limit: all.limit, world })),
    member([string, string, int], texts, ([text, by, limit], world) => split(text, by, { limit, world })),
  ],
  substring: [
    member([string, int], string, ([text, start], world) => substring(text, [start, undefined], world)),
    member([string, int, int], string, ([text, start, end], world) => substring(text, [start, end], world)),
  ],
  trim: [member([string], string, ([text], world) => trim(text, world))],
  join: [
    member([texts], string, ([values], world) => join(values, '', world)),
    member([texts, string], string, ([values, by], world) => join(values, by, world)),
  ],
  'strings.quote': [free([string], string, ([text], world) => quoted(text, world.budget))],
  format: [member([string, list(dyn)], string, ([text, values], { budget }) => formatText(text, values, budget))],
}
