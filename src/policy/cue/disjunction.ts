/** Disjunctions: which alternatives can still hold, and which one is meant (CUE specification, "Default values"). @module */
import type { Alternative, Expression } from './ast.js'
import { CueError } from './cue-error.js'
import type { Evaluation } from './evaluation.js'
import { deepFlaw } from './judge.js'
import { sameScalar } from './scalar.js'
import { Vertex } from './vertex.js'

const MAX_COMBINATIONS = 2048

interface Combination {
  readonly choices: ReadonlyMap<Expression, Expression>
  readonly isDefault: boolean
}

interface Survivor {
  readonly vertex: Vertex
  readonly isDefault: boolean
}

/**
 * Tries the alternatives of all disjunctions of a place. What cannot hold falls away.
 * @returns the copy that is left or is the default; undefined if there are no disjunctions or several are left
 */
export function resolveDisjunctions(evaluation: Evaluation, vertex: Vertex): Vertex | undefined {
  if (vertex.disjunctions.length === 0) return undefined
  const survivors: Survivor[] = []
  for (const { choices, isDefault } of combinations(vertex)) {
    const copy = new Vertex(vertex.path, { parent: vertex.parent, choices: new Map([...vertex.choices, ...choices]) })
    for (const conjunct of vertex.conjuncts) evaluation.say(copy, conjunct)
    if (deepFlaw(evaluation, copy) === undefined) survivors.push({ vertex: copy, isDefault })
  }
  if (survivors.length === 0) {
    vertex.flaw ??= { path: vertex.path, message: 'none of the alternatives of a disjunction holds' }
    return undefined
  }
  const different = withoutRepeats(survivors)
  const defaults = different.filter((each) => each.isDefault)
  const [only, second] = defaults.length > 0 ? defaults : different
  return second === undefined ? only?.vertex : undefined
}

function combinations(vertex: Vertex): readonly Combination[] {
  const byExpression = new Map<Expression, readonly Alternative[]>()
  for (const { expression } of vertex.disjunctions) {
    if (expression.kind === 'disjunction') byExpression.set(expression, expression.alternatives)
  }
  const marked = [...byExpression.values()].some((alternatives) => alternatives.some((each) => each.isDefault))
  let all: readonly Combination[] = [{ choices: new Map(), isDefault: marked }]
  for (const [expression, alternatives] of byExpression) {
    const hasDefault = alternatives.some((each) => each.isDefault)
    all = all.flatMap((combination) =>
      alternatives.map((each) => ({
        choices: new Map([...combination.choices, [expression, each.value]]),
        isDefault: combination.isDefault && (each.isDefault || !hasDefault),
      })),
    )
    if (all.length > MAX_COMBINATIONS)
      throw new CueError('CUE_LIMIT', 'disjunctions of a CUE policy have too many combinations')
  }
  return all
}

/** Alternatives that came to the same scalar are one, the default if any of them is. */
function withoutRepeats(survivors: readonly Survivor[]): readonly Survivor[] {
  const kept: Survivor[] = []
  for (const survivor of survivors) {
    const scalar = scalarOf(survivor)
    const at = kept.findIndex((other) => {
      const otherScalar = scalarOf(other)
      return scalar !== undefined && otherScalar !== undefined && sameScalar(scalar, otherScalar)
    })
    if (at === -1) kept.push(survivor)
    else if (survivor.isDefault) kept[at] = survivor
  }
  return kept
}

function scalarOf({ vertex }: Survivor): Vertex['scalar'] {
  return (vertex.picked ?? vertex).scalar
}
