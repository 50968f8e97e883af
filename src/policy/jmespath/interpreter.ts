/**
 * Walks a parsed expression over a value. The library's own walk is not used: Kyverno's tells a name that is not there from a
 * name that stands for nothing, and the clock and the limits belong to one evaluation, not to the process.
 *
 * @module
 */
import type { JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { ExpressionTree, Slice } from './expression-tree.js'
import { ExpressionArgument } from './function.js'
import type { Argument, Surroundings } from './function.js'
import { FUNCTIONS } from './functions.js'
import { evaluationError } from './jmespath-error.js'
import { equalValues, isFalse, memberOf } from './json-values.js'

/** What an expression comes to if a name in it is not there. */
export class Missing {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

type Outcome = JsonValue | Missing
type Kind = ExpressionTree['type']
type Visit<K extends Kind> = (
  node: Extract<ExpressionTree, { readonly type: K }>,
  value: JsonValue,
  world: Surroundings,
) => Outcome

const VISITS: { readonly [K in Kind]: Visit<K> } = {
  Identity: (_, value) => value,
  Current: (_, value) => value,
  Literal: (node) => node.value,
  Field: ({ name }, value) => (isJsonObject(value) ? member(value, name) : null),
  Index: ({ value: index }, value) =>
    Array.isArray(value) ? ((value as readonly JsonValue[]).at(index) ?? null) : null,
  Slice: (node, value, world) => (Array.isArray(value) ? slice(node, value, world) : null),
  Subexpression: chained,
  IndexExpression: chained,
  Pipe: ({ left, right }, value, world) => softly(right, softly(left, value, world), world),
  Projection: ({ left, right }, value, world) => {
    const whole = softly(left, value, world)
    return Array.isArray(whole) ? projected(whole, right, world) : null
  },
  ValueProjection: ({ left, right }, value, world) => {
    const whole = softly(left, value, world)
    return isJsonObject(whole) ? projected(Object.values(whole), right, world) : null
  },
  FilterProjection: ({ left, right, condition }, value, world) => {
    const whole = softly(left, value, world)
    if (!Array.isArray(whole)) return null
    const chosen = (whole as readonly JsonValue[]).filter((each) => !isFalse(softly(condition, each, world)))
    return projected(chosen, right, world)
  },
  Flatten: ({ child }, value, world) => {
    const whole = softly(child, value, world)
    if (!Array.isArray(whole)) return null
    const flat = (whole as readonly JsonValue[]).flat() as readonly JsonValue[]
    world.budget.spend(flat.length)
    return flat
  },
  OrExpression: ({ left, right }, value, world) => {
    const first = softly(left, value, world)
    return isFalse(first) ? softly(right, value, world) : first
  },
  AndExpression: ({ left, right }, value, world) => {
    const first = softly(left, value, world)
    return isFalse(first) ? first : visit(right, value, world)
  },
  NotExpression: ({ child }, value, world) => isFalse(softly(child, value, world)),
  Comparator: compared,
  MultiSelectList: ({ children }, value, world) =>
    value === null ? null : children.map((child) => softly(child, value, world)),
  MultiSelectHash: ({ children }, value, world) => {
    if (value === null) return null
    return Object.fromEntries(children.map((each) => [each.name, softly(each.value, value, world)]))
  },
  Function: called,
  ExpressionReference: () => {
    throw evaluationError('an expression reference is only an argument of a function')
  },
}

/**
 * The value of an expression, or the name that was not there.
 * @throws JmesPathError JMESPATH_EVALUATION or JMESPATH_LIMIT
 */
export function visit(node: ExpressionTree, value: JsonValue, world: Surroundings): Outcome {
  world.budget.spend(1)
  const visitKind = VISITS[node.type] as (node: ExpressionTree, value: JsonValue, world: Surroundings) => Outcome
  return visitKind(node, value, world)
}

function member(value: JsonValue, name: string): Outcome {
  const found = memberOf(value, name)
  return found === undefined ? new Missing(name) : found
}

/** As {@link visit}; what is not there is nothing. */
function softly(node: ExpressionTree, value: JsonValue, world: Surroundings): JsonValue {
  const outcome = visit(node, value, world)
  return outcome instanceof Missing ? null : outcome
}

function chained(
  { left, right }: { readonly left: ExpressionTree; readonly right: ExpressionTree },
  value: JsonValue,
  world: Surroundings,
): Outcome {
  const outcome = visit(left, value, world)
  return outcome instanceof Missing ? outcome : visit(right, outcome, world)
}

function projected(values: readonly JsonValue[], right: ExpressionTree, world: Surroundings): JsonValue {
  return values.map((each) => softly(right, each, world)).filter((each) => each !== null)
}

const ORDERS: Readonly<Record<'GT' | 'GTE' | 'LT' | 'LTE', (a: number, b: number) => boolean>> = {
  GT: (a, b) => a > b,
  GTE: (a, b) => a >= b,
  LT: (a, b) => a < b,
  LTE: (a, b) => a <= b,
}

function compared(
  { name, left, right }: Extract<ExpressionTree, { type: 'Comparator' }>,
  value: JsonValue,
  world: Surroundings,
): JsonValue {
  const [a, b] = [softly(left, value, world), softly(right, value, world)]
  if (name === 'EQ' || name === 'NE') return equalValues(a, b, world.budget) === (name === 'EQ')
  return typeof a === 'number' && typeof b === 'number' ? ORDERS[name](a, b) : null
}

function called(
  { name, children }: Extract<ExpressionTree, { type: 'Function' }>,
  value: JsonValue,
  world: Surroundings,
): JsonValue {
  const declared = FUNCTIONS.get(name)
  if (declared === undefined) throw evaluationError(`there is no function ${name}`)
  const args = children.map((child): Argument => {
    if (child.type !== 'ExpressionReference') return softly(child, value, world)
    return new ExpressionArgument((each) => softly(child.child, each, world))
  })
  for (const arg of args) if (Array.isArray(arg)) world.budget.spend(arg.length)
  const result = declared.call(world, args)
  if (typeof result === 'string') world.budget.characters(result.length)
  else if (Array.isArray(result)) world.budget.spend(result.length)
  return result
}

function slice({ start, stop, step }: Slice, values: readonly JsonValue[], world: Surroundings): JsonValue {
  const by = step ?? 1
  if (by === 0) throw evaluationError('the step of a slice is not zero')
  const length = values.length
  const [least, most] = by > 0 ? [0, length] : [-1, length - 1]
  const place = (given: number | null, otherwise: number): number =>
    given === null ? otherwise : Math.min(most, Math.max(least, given < 0 ? given + length : given))
  const [from, to] = [place(start, by > 0 ? 0 : most), place(stop, by > 0 ? most : -1)]
  const chosen: JsonValue[] = []
  for (let at = from; by > 0 ? at < to : at > to; at += by) chosen.push(values[at] ?? null)
  world.budget.spend(chosen.length)
  return chosen
}
