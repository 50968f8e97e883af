/** Going through plans. @module */
import type { Node, Plan, Step } from './plan.js'

/** The nodes right below, not going into the bodies of comprehensions. */
export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'step':
      return [node.of, node.key]
    case 'builtin':
    case 'invoke':
      return node.args
    case 'array':
    case 'set':
      return node.items
    case 'object':
      return node.entries.flat()
    default:
      return []
  }
}

/** The nodes of a step, not going into the body of `every`. */
export function nodesOf({ action, with: withs }: Step): readonly Node[] {
  return [...actionNodes(action), ...withs.map(({ value }) => value)]
}

function actionNodes(action: Step['action']): readonly Node[] {
  switch (action.kind) {
    case 'test':
      return [action.node]
    case 'unify':
      return [action.from, action.to]
    case 'some':
      return [action.domain, ...(action.key === undefined ? [] : [action.key]), action.value]
    case 'every':
      return [action.domain]
  }
}

/** A body of its own inside a node or step, with what is computed in it. */
export interface Closure {
  readonly body: Plan
  readonly heads: readonly Node[]
  /** Slots that are filled when the body starts. */
  readonly given: readonly number[]
  readonly line: number
}

/** The closures in a node, not those in closures. */
export function closuresIn(node: Node): readonly Closure[] {
  if (node.kind !== 'comprehension') return children(node).flatMap(closuresIn)
  const { body, key, value, line } = node
  return [{ body, heads: key === undefined ? [value] : [key, value], given: [], line }]
}

export function closuresOf(step: Step): readonly Closure[] {
  const inNodes = nodesOf(step).flatMap(closuresIn)
  if (step.action.kind !== 'every') return inNodes
  const { key, value, body } = step.action
  return [...inNodes, { body, heads: [], given: key === undefined ? [value] : [key, value], line: step.line }]
}

/** The slots of a node, not those in closures. */
export function slotsIn(node: Node): readonly number[] {
  return node.kind === 'slot' ? [node.slot] : children(node).flatMap(slotsIn)
}

/** Every node of a body, closures and all. */
export function* everyNode(body: Plan, heads: readonly Node[]): Generator<Node> {
  for (const head of heads) yield* below(head)
  for (const step of body.steps) {
    for (const node of nodesOf(step)) yield* below(node)
    if (step.action.kind === 'every') yield* everyNode(step.action.body, [])
  }
}

function* below(node: Node): Generator<Node> {
  yield node
  for (const child of children(node)) yield* below(child)
  for (const closure of node.kind === 'comprehension' ? closuresIn(node) : [])
    yield* everyNode(closure.body, closure.heads)
}
