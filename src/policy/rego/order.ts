/** The order of statements: each comes when the slots that it only reads are filled. @module */
import type { Node, Plan, Step } from './plan.js'
import { fault } from './rego-error.js'
import type { RegoError } from './rego-error.js'
import { children, closuresIn, closuresOf, type Closure, nodesOf, slotsIn } from './walk.js'

type Slots = ReadonlySet<number>

/** What a node reads that is not filled yet, and what it fills. */
interface Effect {
  readonly needs: Slots
  readonly fills: Slots
}

const NONE: Slots = new Set()

/**
 * Puts a body into an order that works, and the bodies inside it.
 * @returns the slots that are filled after it
 * @throws RegoError REGO_UNSAFE_VAR if there is none
 */
export function orderBody(body: Plan, filled: Slots, heads: readonly Node[]): Slots {
  const outer = new Set([...filled, ...body.steps.flatMap(nodesOf).flatMap(slotsIn), ...heads.flatMap(slotsIn)])
  let now = filled
  let waiting = body.steps
  const ordered: Step[] = []
  while (waiting.length > 0) {
    const ready = waiting.map((step) => readied(step, now, outer))
    const index = ready.findIndex((each) => each !== undefined)
    const found = ready[index]
    if (found === undefined) throw unsafe(waiting, now)
    for (const closure of closuresOf(found.step)) orderClosure(closure, now)
    ordered.push(found.step)
    now = new Set([...now, ...found.fills])
    waiting = waiting.filter((_, at) => at !== index)
  }
  body.steps = ordered
  return now
}

/** @throws RegoError REGO_UNSAFE_VAR if a node reads a slot that is not filled, or would fill one */
export function requireFilled(node: Node, filled: Slots, line: number): void {
  const missing = missingName([node], filled)
  if (missing !== undefined) throw unsafeName(missing, line)
  for (const closure of closuresIn(node)) orderClosure(closure, filled)
}

function orderClosure({ body, heads, given, line }: Closure, filled: Slots): void {
  const after = orderBody(body, new Set([...filled, ...given]), heads)
  for (const head of heads) requireFilled(head, after, line)
}

/** The step in the direction in which it can be taken now, if it can be. */
function readied(step: Step, filled: Slots, outer: Slots): { readonly step: Step; readonly fills: Slots } | undefined {
  // What a closure shares with the statements around it must be there before.
  const shared = closuresOf(step).flatMap((closure) => allSlots(closure).filter((slot) => outer.has(slot)))
  if (shared.some((slot) => !filled.has(slot))) return undefined
  const overridden = step.with.flatMap(({ value }) => slotsIn(value))
  if (overridden.some((slot) => !filled.has(slot))) return undefined
  const { action } = step
  if (action.kind === 'every' || step.negated) {
    return nodesOf(step).every((node) => slotsIn(node).every((slot) => filled.has(slot)))
      ? { step, fills: NONE }
      : undefined
  }
  if (action.kind === 'test') return ready(step, effectOf(action.node, filled))
  if (action.kind === 'some') {
    const { key, value, domain } = action
    return ready(step, inTurn([[domain], patterns(key === undefined ? [value] : [key, value])], filled))
  }
  const { from, to } = action
  const reversed: Step = { ...step, action: { kind: 'unify', from: to, to: from } }
  return (
    ready(step, inTurn([[from], patterns([to])], filled)) ?? ready(reversed, inTurn([[to], patterns([from])], filled))
  )
}

function ready(step: Step, { needs, fills }: Effect): { readonly step: Step; readonly fills: Slots } | undefined {
  return needs.size === 0 ? { step, fills } : undefined
}

interface PatternNode {
  readonly pattern: Node
}

function patterns(nodes: readonly Node[]): readonly PatternNode[] {
  return nodes.map((pattern) => ({ pattern }))
}

/** Effects of what is computed one after the other. */
function inTurn(groups: readonly (readonly (Node | PatternNode)[])[], filled: Slots): Effect {
  const needs = new Set<number>()
  const fills = new Set<number>()
  for (const node of groups.flat()) {
    const now = new Set([...filled, ...fills])
    const effect = 'pattern' in node ? patternEffect(node.pattern, now) : effectOf(node, now)
    for (const slot of effect.needs) needs.add(slot)
    for (const slot of effect.fills) fills.add(slot)
  }
  return { needs, fills }
}

function effectOf(node: Node, filled: Slots): Effect {
  if (node.kind === 'slot') return { needs: filled.has(node.slot) ? NONE : new Set([node.slot]), fills: NONE }
  if (node.kind === 'step') return inTurn([[node.of], patterns([node.key])], filled)
  return inTurn([children(node)], filled)
}

/** A pattern fills its slots; what it computes must be there. */
function patternEffect(node: Node, filled: Slots): Effect {
  if (node.kind === 'slot') return { needs: NONE, fills: new Set([node.slot]) }
  if (node.kind === 'array') return inTurn([patterns(node.items)], filled)
  if (node.kind === 'object') return inTurn([node.entries.flatMap(([key, value]) => [key, { pattern: value }])], filled)
  return effectOf(node, filled)
}

/** The slots that a pattern fills. */
export function patternSlots(node: Node): readonly number[] {
  return [...patternEffect(node, NONE).fills]
}

function allSlots({ body, heads }: Closure): readonly number[] {
  const inSteps = body.steps.flatMap((step) => [
    ...nodesOf(step).flatMap(slotsIn),
    ...closuresOf(step).flatMap(allSlots),
  ])
  return [...heads.flatMap(slotsIn), ...heads.flatMap(closuresIn).flatMap(allSlots), ...inSteps]
}

function unsafe(steps: readonly Step[], filled: Slots): RegoError {
  const name = missingName(steps.flatMap(nodesOf), filled)
  return unsafeName(name ?? 'a comprehension’s', steps[0]?.line ?? 1)
}

function unsafeName(name: string, line: number): RegoError {
  const shown = name.endsWith('$') ? '_' : name
  return fault('REGO_UNSAFE_VAR', line, `nothing gives ${shown} a value before it is used`)
}

function missingName(nodes: readonly Node[], filled: Slots): string | undefined {
  for (const node of nodes) {
    if (node.kind === 'slot' && !filled.has(node.slot)) return node.name
    const below = missingName(children(node), filled)
    if (below !== undefined) return below
  }
  return undefined
}
