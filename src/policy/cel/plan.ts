/** A checked expression as steps: each a function of the evaluation's memory. @module */
import type { Call, Expr } from './ast.js'
import { CelError, evaluationError, noSuchOverload } from './cel-error.js'
import type { CheckedExpression } from './checked.js'
import type { Overload } from './environment.js'
import type { Frame, Step } from './frame.js'
import { attempt, planLogical } from './logical.js'
import { planLoop } from './loops.js'
import { isPresent, select } from './select.js'
import { partsOf } from './types.js'
import type { CelType } from './types.js'
import { CelMap, EntryMap, isKey, isList, NONE, Optional, PENDING, TypeValue, typeNameOf } from './values.js'
import type { CelValue, Outcome } from './values.js'

/** Plans an expression and everything below it. */
export function plan(expr: Expr, checked: CheckedExpression): Step {
  const below = (each: Expr): Step => plan(each, checked)
  switch (expr.kind) {
    case 'literal': {
      const { value } = expr
      return () => value
    }
    case 'name':
      return planName(expr, checked)
    case 'select': {
      // Of `google.protobuf.Timestamp` the checker made a name.
      if (checked.isName(expr)) return planName(expr, checked)
      const { field, optional } = expr
      const operand = below(expr.operand)
      return (frame) => select(operand(frame), { field, optional }, frame)
    }
    case 'has': {
      const { field } = expr
      const operand = below(expr.operand)
      return (frame) => isPresent(operand(frame), field, frame)
    }
    case 'call':
      return planCall(expr, checked)
    case 'logical':
      return planLogical(expr.operator, below(expr.left), below(expr.right))
    case 'conditional':
      return planConditional(below(expr.condition), below(expr.yes), below(expr.no))
    case 'list':
      return planList(expr.elements.map(below), expr.optional)
    case 'map':
      return planMap(
        expr.entries.map(([key, value]) => [below(key), below(value)] as const),
        expr.optional,
      )
    case 'loop':
      return planLoop(expr, checked.slots(expr), {
        range: below(expr.range),
        filter: expr.filter === undefined ? undefined : below(expr.filter),
        body: below(expr.body),
      })
    case 'bind':
      return planBind(below(expr.value), below(expr.body), checked.slots(expr))
    case 'optional-map': {
      const [slot = 0] = checked.slots(expr)
      return planOptionalMap({ operand: below(expr.operand), body: below(expr.body), slot, flat: expr.flat })
    }
  }
}

/** The value is computed at once; what is wrong with it matters only where it is used. */
function planBind(value: Step, body: Step, [slot = 0]: readonly number[]): Step {
  return (frame) => {
    frame.locals[slot] = attempt(() => value(frame))
    return body(frame)
  }
}

function planName(expr: Expr, checked: CheckedExpression): Step {
  const reference = checked.reference(expr)
  if (reference.kind === 'local') {
    const { slot } = reference
    return (frame) => {
      const value = frame.locals[slot] ?? null
      if (value instanceof CelError) throw value
      return value
    }
  }
  if (reference.kind === 'type') {
    const value = new TypeValue(reference.name)
    return () => value
  }
  const { name } = reference
  return (frame) => {
    frame.budget.spend(1)
    const value = frame.lookup(name)
    if (value === undefined) throw evaluationError(`no such attribute: ${name}`)
    return value
  }
}

function planCall(call: Call, checked: CheckedExpression): Step {
  const { name, overloads, args } = checked.resolution(call)
  const steps = args.map((arg) => plan(arg, checked))
  if (name === 'or' || name === 'orValue') {
    const [first, second] = steps
    if (first !== undefined && second !== undefined && steps.length === 2) return planOr(first, second, name)
  }
  const types = args.map((arg) => checked.typeOf(arg))
  const [only] = overloads
  if (only !== undefined && overloads.length === 1 && surelyTakes(only, types)) {
    return (frame) => {
      const values = evaluateAll(steps, frame)
      if (values === PENDING) return PENDING
      countTexts(values, frame)
      return only.call(values, frame)
    }
  }
  return (frame) => {
    const values = evaluateAll(steps, frame)
    if (values === PENDING) return PENDING
    countTexts(values, frame)
    const overload = overloads.find(({ parameters }) =>
      parameters.every((parameter, index) => {
        const value = values[index]
        return value !== undefined && parameter.accepts(value)
      }),
    )
    if (overload === undefined) {
      if (isSoftIndex(name, values)) return NONE
      throw noSuchOverload(name, values.map(typeNameOf))
    }
    return overload.call(values, frame)
  }
}

/** A text counts wherever it is given to a function: each may read all of it. What takes longer than reading counts that itself. */
function countTexts(values: readonly CelValue[], { budget }: Frame): void {
  for (const value of values) if (typeof value === 'string') budget.text(value.length)
}

/** Every argument is evaluated, even if one is pending: what the others ask for is asked for now. */
function evaluateAll(steps: readonly Step[], frame: Frame): readonly CelValue[] | typeof PENDING {
  frame.budget.spend(1)
  const values: CelValue[] = []
  let pending = false
  for (const step of steps) {
    const value = step(frame)
    if (value === PENDING) pending = true
    else values.push(value)
  }
  return pending ? PENDING : values
}

/** Whether the types leave nothing to find out when the values are there. */
function surelyTakes({ parameters }: Overload, types: readonly CelType[]): boolean {
  return parameters.every((parameter, index) => {
    const type = types[index]
    return type !== undefined && isSurely(type, parameter.type)
  })
}

function isSurely(type: CelType, asked: CelType): boolean {
  if (asked.kind === 'parameter' || asked.kind === 'dyn') return true
  if (type.kind !== asked.kind || ('name' in type && 'name' in asked && type.name !== asked.name)) return false
  const parts = partsOf(asked)
  return partsOf(type).every((part, index) => {
    const other = parts[index]
    return other !== undefined && isSurely(part, other)
  })
}

/** The second one is only looked at where the first is empty. */
function planOr(first: Step, second: Step, name: 'or' | 'orValue'): Step {
  return (frame) => {
    frame.budget.spend(1)
    const value = first(frame)
    if (value === PENDING) return PENDING
    if (!(value instanceof Optional)) throw noSuchOverload(name, [typeNameOf(value)])
    if (value.value === undefined) return second(frame)
    return name === 'or' ? value : value.value
  }
}

function planConditional(condition: Step, yes: Step, no: Step): Step {
  return (frame) => {
    frame.budget.spend(1)
    const value = condition(frame)
    if (value === PENDING) return PENDING
    if (typeof value !== 'boolean') throw noSuchOverload('_?_:_', [typeNameOf(value)])
    return value ? yes(frame) : no(frame)
  }
}

function planList(steps: readonly Step[], optional: ReadonlySet<number>): Step {
  if (optional.size === 0) return (frame) => evaluateAll(steps, frame)
  return (frame) => {
    const values = evaluateAll(steps, frame)
    return values === PENDING
      ? PENDING
      : values.flatMap((value, index) => (optional.has(index) ? present(value) : [value]))
  }
}

/** The value of an optional entry, where there is one. */
function present(value: CelValue): readonly CelValue[] {
  if (!(value instanceof Optional)) throw noSuchOverload('[?]', [typeNameOf(value)])
  return value.value === undefined ? [] : [value.value]
}

function planMap(steps: readonly (readonly [key: Step, value: Step])[], optional: ReadonlySet<number>): Step {
  return (frame) => {
    frame.budget.spend(1 + steps.length)
    const entries: (readonly [CelValue, CelValue])[] = []
    let pending = false
    for (const [index, [keyStep, valueStep]] of steps.entries()) {
      const key = keyStep(frame)
      const value = valueStep(frame)
      if (key === PENDING || value === PENDING) pending = true
      else for (const each of optional.has(index) ? present(value) : [value]) entries.push([keyOf(key), each])
    }
    if (pending) return PENDING
    const map = new EntryMap(entries)
    if (map.size < entries.length) throw evaluationError('a key of a map is there twice')
    return map
  }
}

function keyOf(key: CelValue): CelValue {
  if (isKey(key)) return key
  throw evaluationError(`unsupported key type: ${typeNameOf(key)}`)
}

interface OptionalMapping {
  readonly operand: Step
  readonly body: Step
  readonly slot: number
  readonly flat: boolean
}

function planOptionalMap({ operand, body, slot, flat }: OptionalMapping): Step {
  return (frame) => {
    frame.budget.spend(1)
    const value = operand(frame)
    if (value === PENDING) return PENDING
    if (!(value instanceof Optional)) throw noSuchOverload('optMap', [typeNameOf(value)])
    if (value.value === undefined) return NONE
    frame.locals[slot] = value.value
    const result: Outcome = body(frame)
    return result === PENDING || flat ? result : new Optional(result)
  }
}

/** `[?…]`, and `[…]` after an optional: what has no elements at all has not this one either. */
function isSoftIndex(name: string, [operand = null]: readonly CelValue[]): boolean {
  const inner = operand instanceof Optional ? operand.value : operand
  const soft = name === '_[?_]' || (name === '_[_]' && operand instanceof Optional)
  return soft && inner !== undefined && !isList(inner) && !(inner instanceof CelMap)
}
