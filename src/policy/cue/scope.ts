/** Making surroundings in which names are bound. @module */
import type { JsonValue } from '#encoding/json'
import type { Binding, Scope } from './vertex.js'
import { Vertex } from './vertex.js'

/** Surroundings in which names stand for places or for given data. */
export function withBindings(
  outer: Scope | undefined,
  bound: Iterable<readonly [name: string, value: JsonValue | Vertex]>,
): Scope {
  const bindings = new Map<string, Binding>()
  for (const [name, value] of bound) bindings.set(name, { kind: 'place', vertex: placeOf(name, value) })
  return { outer, bindings }
}

function placeOf(name: string, value: JsonValue | Vertex): Vertex {
  if (value instanceof Vertex) return value
  const vertex = new Vertex(name)
  vertex.conjuncts.push({ kind: 'data', data: value })
  return vertex
}
