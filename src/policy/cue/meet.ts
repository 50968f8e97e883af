/** Meeting simple conditions on one place: kinds, scalars, bounds. @module */
import type { Scalar } from './ast.js'
import type { Budget } from './budget.js'
import { isDataKey } from './field-key.js'
import { KIND, NUMBER, kindNames, kindOf, sameScalar, showScalar } from './scalar.js'
import type { Flaw, Subject, Vertex } from './vertex.js'

/** What is wrong with a literal that stands inside itself. */
export const CONTAINS_ITSELF = 'a value that contains itself without end'

/** The first reason why a place has no value stays. */
export function setFlaw(vertex: Vertex, flaw: Flaw): void {
  vertex.flaw ??= flaw
}

export function meetKinds(vertex: Vertex, kinds: number, what: string): void {
  const both = vertex.kinds & kinds
  if (both === 0) {
    setFlaw(vertex, { path: vertex.path, message: 'values of different kinds', expected: what, found: shown(vertex) })
  }
  vertex.kinds = both
}

export function meetScalar(vertex: Vertex, value: Scalar): void {
  meetKinds(vertex, kindOf(value), showScalar(value))
  if (vertex.scalar === undefined) vertex.scalar = value
  else if (!sameScalar(vertex.scalar, value)) {
    setFlaw(vertex, {
      path: vertex.path,
      message: 'different values',
      expected: showScalar(vertex.scalar),
      found: showScalar(value),
    })
  }
}

/** Judges what is known of a place by its checks, its bounds, and the closed structs that it belongs to. */
export function checkVertex(vertex: Vertex, budget: Budget): void {
  const subject = subjectOf(vertex)
  budget.spend((vertex.checks.length * (vertex.items.length + vertex.arcs.size)) / 8)
  for (const check of vertex.checks) {
    if ((vertex.kinds & check.kinds) === 0) meetKinds(vertex, check.kinds, check.text)
    else if (check.judge(subject, budget) === false) {
      setFlaw(vertex, {
        path: vertex.path,
        message: 'a value out of bounds',
        expected: check.text,
        found: shown(vertex),
      })
    }
  }
  if (vertex.scalar === undefined) checkRange(vertex)
  checkClosed(vertex)
}

/** What a check can see of a place. */
export function subjectOf(vertex: Vertex): Subject {
  const regular = [...vertex.arcs].filter(([key, arc]) => arc.presence === 'regular' && isDataKey(key))
  const items = vertex.items.map((item) => (item.picked ?? item).scalar)
  return {
    scalar: vertex.scalar,
    kinds: vertex.kinds,
    size: vertex.kinds === KIND.list ? vertex.items.length : regular.length,
    growing: vertex.kinds === KIND.list ? !vertex.lengthFixed : vertex.groups.size === 0,
    items: items.every((item) => item !== undefined) ? items : undefined,
  }
}

/** No number is left between bounds that cross. */
function checkRange(vertex: Vertex): void {
  if ((vertex.kinds & ~NUMBER) !== 0) return
  const ranges = vertex.checks.flatMap((check) =>
    check.range === undefined ? [] : [{ ...check.range, text: check.text }],
  )
  for (const low of ranges.filter((range) => range.operator.startsWith('>'))) {
    for (const high of ranges.filter((range) => range.operator.startsWith('<'))) {
      const inclusive = low.operator === '>=' && high.operator === '<='
      const onlyIntegers = vertex.kinds === KIND.int
      const lowest = onlyIntegers
        ? Math.floor(low.limit) + (low.operator === '>' || low.limit % 1 !== 0 ? 1 : 0)
        : low.limit
      const highest = onlyIntegers
        ? Math.ceil(high.limit) - (high.operator === '<' || high.limit % 1 !== 0 ? 1 : 0)
        : high.limit
      if (lowest < highest || (lowest === highest && (inclusive || onlyIntegers))) continue
      setFlaw(vertex, {
        path: vertex.path,
        message: 'bounds that leave no number',
        expected: low.text,
        found: high.text,
      })
    }
  }
}

function checkClosed(vertex: Vertex): void {
  for (const [key, arc] of vertex.arcs) {
    if (arc.presence !== 'regular' || !isDataKey(key)) continue
    for (const group of vertex.groups) {
      if (!group.allows(key)) setFlaw(vertex, { path: vertex.childPath(key), message: 'a field that is not allowed' })
    }
  }
}

function shown(vertex: Vertex): string {
  return vertex.scalar === undefined ? kindNames(vertex.kinds) : showScalar(vertex.scalar)
}
