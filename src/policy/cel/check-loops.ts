/** The types of comprehensions. @module */
import type { Loop, LoopKind } from './ast.js'
import type { Complaints } from './complaints.js'
import { BOOL, DYN, INT, listOf, mapOf } from './types.js'
import type { CelType } from './types.js'

/** Loops whose body says yes or no. */
export const TESTS: ReadonlySet<LoopKind> = new Set<LoopKind>(['all', 'exists', 'existsOne', 'filter'])

/**
 * With one name: elements or keys. With two: indexes and elements, or keys and values.
 * @throws CelError `CEL_TYPE` if there is nothing to go through
 */
export function rangeTypes(
  range: CelType,
  { names, range: { at } }: Loop,
  complaints: Complaints,
): readonly [CelType, CelType] {
  if (range.kind === 'list') return names.length === 1 ? [range.of[0], DYN] : [INT, range.of[0]]
  if (range.kind === 'map') return range.of
  if (range.kind === 'parameter') complaints.unifier.unify([DYN], [range])
  else if (range.kind !== 'dyn') {
    const message = `expression of type '${complaints.format(range)}' cannot be range of a comprehension`
    throw complaints.error(message, at, 'a list, a map, or dynamic')
  }
  return [DYN, DYN]
}

/** The types of a loop's parts. */
export interface LoopTypes {
  readonly range: CelType
  /** Of the first name. */
  readonly element: CelType
  readonly body: CelType
}

/** @throws CelError `CEL_TYPE` */
export function loopType({ loop, body: { at }, range }: Loop, types: LoopTypes, complaints: Complaints): CelType {
  const { unifier } = complaints
  switch (loop) {
    case 'all':
    case 'exists':
    case 'existsOne':
      return BOOL
    case 'filter':
      return listOf(types.element)
    case 'map':
    case 'transformList':
      return listOf(types.body)
    case 'transformMap':
      return mapOf(types.range.kind === 'list' ? INT : types.element, types.body)
    case 'transformMapEntry': {
      const entry = mapOf(unifier.newParameter(), unifier.newParameter())
      if (unifier.unify([types.body], [entry])) return unifier.resolve(entry)
      throw complaints.mismatch(entry, types.body, at)
    }
    case 'sortBy': {
      const sorted = sortedType(types.range, unifier.resolve(types.body))
      if (sorted !== undefined) return sorted
      const [what, by] = [complaints.format(types.range), complaints.format(types.body)]
      throw complaints.error(`cannot sort ${what} by ${by}`, range.at)
    }
  }
}

/** A list as it was; of what is dynamic, as much as the type of the keys says. */
function sortedType(range: CelType, key: CelType): CelType | undefined {
  const isComparable = key.kind === 'scalar' || key.kind === 'dyn' || key.kind === 'parameter'
  if (!isComparable) return undefined
  if (range.kind === 'list') return range
  if (range.kind !== 'dyn' && range.kind !== 'parameter') return undefined
  return key.kind === 'scalar' && key.name !== 'null_type' ? listOf(DYN) : DYN
}
