/** Looks for the first thing that is wrong anywhere below a place. @module */
import type { Evaluation } from './evaluation.js'
import { isDataKey, showKey } from './field-key.js'
import type { Flaw, Vertex } from './vertex.js'

/** What counts as wrong. A policy alone need not have its required fields; an input must bring them. */
export type Strictness = 'policy' | 'input'

/**
 * The first flaw at or below a place, or undefined.
 * What is not known is not wrong: CUE accepts an input that leaves open what the policy constrains.
 */
export function deepFlaw(evaluation: Evaluation, vertex: Vertex, strictness: Strictness = 'policy'): Flaw | undefined {
  const settled = evaluation.settle(vertex)
  if (vertex.flaw !== undefined) return vertex.flaw
  if (settled.flaw !== undefined) return settled.flaw
  for (const [key, arc] of settled.arcs) {
    if (arc.presence === 'optional') continue
    if (arc.presence === 'required') {
      if (strictness === 'input')
        return { path: settled.childPath(showKey(key)), message: 'a required field is not there' }
    }
    const flaw = deepFlaw(evaluation, arc.vertex, isDataKey(key) ? strictness : 'policy')
    if (flaw !== undefined) return flaw
  }
  for (const item of settled.items) {
    const flaw = deepFlaw(evaluation, item, strictness)
    if (flaw !== undefined) return flaw
  }
  return undefined
}
