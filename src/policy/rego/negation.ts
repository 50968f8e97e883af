/**
 * What `not` does not reach: Rego computes nested calls, and references inside of arguments, keys and collections, before the
 * negated expression. Where one of them is undefined, `not` does not hold either: `not startswith(input.x, "a")` is no way to
 * accept an input without `x`, while `not input.x == "a"` is.
 *
 * @module
 */
import type { Action, Node } from './plan.js'
import { children } from './walk.js'

/** The parts of a negated expression that must have a value. */
export function requiredBy(action: Action): readonly Node[] {
  if (action.kind === 'unify') return [action.from, action.to].flatMap(withinSide)
  if (action.kind !== 'test') return []
  const { node } = action
  if (node.kind === 'builtin')
    return node.builtin.sameKind === true ? node.args.flatMap(withinSide) : node.args.filter(isComputed)
  return node.kind === 'invoke' ? node.args.filter(isComputed) : withinSide(node)
}

/** A reference is itself under the negation, what it is made of is not. */
function withinSide(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'builtin':
    case 'invoke':
      return [node]
    case 'step':
      return [...(isComputed(node.key) ? [node.key] : []), ...withinSide(node.of)]
    case 'array':
    case 'set':
    case 'object':
      return children(node).filter(isComputed)
    default:
      return []
  }
}

function isComputed({ kind }: Node): boolean {
  return kind !== 'constant' && kind !== 'slot'
}
