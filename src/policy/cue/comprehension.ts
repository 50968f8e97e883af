/** Comprehensions: they wait until their clauses are known (CUE specification, "Comprehensions"). @module */
import type { Clause, Comprehension } from './ast.js'
import { findPlace, outside, takeError } from './compute.js'
import { CueError } from './cue-error.js'
import type { Evaluation } from './evaluation.js'
import { isDataKey } from './field-key.js'
import { ANY_KIND, KIND, kindNames } from './scalar.js'
import { withBindings } from './scope.js'
import type { Conjunct, Scope, Surroundings, Vertex } from './vertex.js'

/** Adds what a comprehension makes to a place. Returns false if its clauses are not known yet. */
export function takeComprehension(
  evaluation: Evaluation,
  vertex: Vertex,
  waiting: Surroundings & { readonly comprehension: Comprehension },
): boolean {
  let scopes: ReturnType<typeof clauseScopes>
  try {
    scopes = clauseScopes(evaluation, waiting.comprehension.clauses, waiting)
  } catch (error) {
    return takeError(vertex, error)
  }
  if (scopes === undefined) return false
  for (const scope of scopes) {
    evaluation.take(vertex, {
      kind: 'expression',
      expression: waiting.comprehension.body,
      scope,
      groups: waiting.groups,
      embedded: true,
    })
  }
  return true
}

/**
 * The items that a comprehension makes in a list, or undefined if its clauses are not known yet.
 * @throws {@link CueError} CUE_REJECTED for clauses that can have no meaning
 */
export function comprehensionItems(
  evaluation: Evaluation,
  comprehension: Comprehension,
  surroundings: Surroundings,
): readonly Conjunct[] | undefined {
  const scopes = clauseScopes(evaluation, comprehension.clauses, surroundings)
  return scopes?.map((scope) => ({
    kind: 'expression',
    expression: comprehension.body,
    scope,
    groups: [],
    embedded: false,
  }))
}

function clauseScopes(
  evaluation: Evaluation,
  clauses: readonly Clause[],
  surroundings: Surroundings,
): readonly (Scope | undefined)[] | undefined {
  const [clause, ...rest] = clauses
  if (clause === undefined) return [surroundings.scope]
  const inner = clauseScope(evaluation, clause, surroundings)
  if (inner === undefined) return undefined
  const all: (Scope | undefined)[] = []
  for (const scope of inner) {
    const scopes = clauseScopes(evaluation, rest, { ...outside(surroundings), scope })
    if (scopes === undefined) return undefined
    for (const each of scopes) all.push(each)
  }
  return all
}

function clauseScope(
  evaluation: Evaluation,
  clause: Clause,
  surroundings: Surroundings,
): readonly (Scope | undefined)[] | undefined {
  const { scope } = surroundings
  // Clauses multiply before anything is made of them.
  evaluation.budget.spend(1)
  if (clause.kind === 'let')
    return [withBindings(scope, [[clause.name, evaluation.place(clause.value, outside(surroundings), '')]])]
  if (clause.kind === 'if') {
    const condition = evaluation.place(clause.condition, outside(surroundings), '').scalar
    return condition === undefined ? undefined : condition === true ? [scope] : []
  }
  const source = evaluation.settle(
    findPlace(evaluation, clause.source, surroundings) ?? evaluation.place(clause.source, outside(surroundings), ''),
  )
  if ((source.kinds & (KIND.struct | KIND.list)) === 0) {
    throw new CueError('CUE_REJECTED', 'a comprehension goes through what has no fields or items', {
      expected: kindNames(KIND.struct | KIND.list),
      found: kindNames(source.kinds),
    })
  }
  if (source.kinds === ANY_KIND || (source.kinds !== KIND.struct && source.kinds !== KIND.list)) return undefined
  evaluation.budget.spend(source.items.length + source.arcs.size)
  const bind = (key: string | number, value: Vertex): Scope =>
    withBindings(scope, [[clause.value, value], ...(clause.key === undefined ? [] : [[clause.key, key] as const])])
  if (source.kinds === KIND.list) return source.items.map((item, index) => bind(index, item))
  return [...source.arcs]
    .filter(([key, arc]) => isDataKey(key) && arc.presence === 'regular')
    .map(([key, arc]) => bind(key, arc.vertex))
}
