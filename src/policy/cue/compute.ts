/** Expressions that have to be calculated: they wait until what they need is known. @module */
import type { Expression, Scalar } from './ast.js'
import type { Budget } from './budget.js'
import { boundCheck, builtinCheck, builtinNamed } from './builtins.js'
import { CloseGroup } from './close-group.js'
import { CueError } from './cue-error.js'
import type { Evaluation } from './evaluation.js'
import { meetKinds, meetScalar, setFlaw, subjectOf } from './meet.js'
import { builtinName } from './resolve.js'
import {
  KIND,
  calculate,
  compareWith,
  equalAmount,
  isFloat,
  haveOrder,
  kindNames,
  kindOf,
  showScalar,
} from './scalar.js'
import type { Check, ExpressionConjunct, Flaw, Surroundings, Vertex } from './vertex.js'
import { isCodedError } from '#errors'

/** undefined: not known yet. */
type Calculated = Scalar | readonly Scalar[] | undefined

/** Says what an expression means for a place. Returns false if that is not known yet. */
export function takeExpression(evaluation: Evaluation, vertex: Vertex, conjunct: ExpressionConjunct): boolean {
  try {
    return take(evaluation, vertex, conjunct)
  } catch (error) {
    return takeError(vertex, error)
  }
}

function take(evaluation: Evaluation, vertex: Vertex, conjunct: ExpressionConjunct): boolean {
  const { expression } = conjunct
  switch (expression.kind) {
    case 'reference':
    case 'list': {
      const waiting = vertex.deferred.length
      evaluation.take(vertex, conjunct)
      return vertex.deferred.splice(waiting).length === 0
    }
    case 'select':
    case 'index':
      return takePath(evaluation, vertex, conjunct)
    case 'bound':
      return takeBound(evaluation, vertex, conjunct)
    case 'call':
      return takeCall(evaluation, vertex, conjunct)
    case 'binary':
      if (expression.operator !== '&') break
      for (const side of [expression.left, expression.right]) evaluation.take(vertex, { ...conjunct, expression: side })
      return true
    default:
  }
  const result = evaluation.once(conjunct, () => calculateExpression(evaluation, conjunct))
  return takeResult(evaluation, vertex, result)
}

/** An error of what is calculated is a flaw of the place that it is calculated for. */
export function takeError(vertex: Vertex, error: unknown): true {
  if (!isCodedError(error) || error.code === 'CUE_LIMIT') throw error
  setFlaw(vertex, {
    path: vertex.path,
    message: error.message,
    ...(error.found === undefined ? {} : { found: error.found }),
  })
  return true
}

function takeResult(evaluation: Evaluation, vertex: Vertex, result: Calculated): boolean {
  if (result === undefined) return false
  if (Array.isArray(result)) {
    const items = (result as readonly Scalar[]).map((value): Expression => ({ kind: 'scalar', value, line: 0 }))
    const expression: Expression = { kind: 'list', items, rest: 'closed', line: 0 }
    evaluation.take(vertex, { kind: 'expression', expression, scope: undefined, groups: [], embedded: false })
  } else meetScalar(vertex, result as Scalar)
  return true
}

/** a.b and a["b"]: whatever is said about that place holds here. */
function takePath(evaluation: Evaluation, vertex: Vertex, conjunct: ExpressionConjunct): boolean {
  const constant = builtinConstant(evaluation, conjunct)
  if (constant !== undefined) return constant(vertex)
  const target = findPlace(evaluation, conjunct.expression, conjunct)
  if (target === undefined) return false
  evaluation.link(vertex, target, conjunct)
  return true
}

/** `time.RFC3339` and conditions without arguments, such as `time.Time`. */
function builtinConstant(
  evaluation: Evaluation,
  { expression, scope }: ExpressionConjunct,
): ((vertex: Vertex) => true) | undefined {
  if (expression.kind !== 'select' || expression.of.kind !== 'reference') return undefined
  if (evaluation.lookup(expression.of.name, scope) !== undefined) return undefined
  const name = builtinName(expression, evaluation.imports)
  const builtin = name === undefined ? undefined : builtinNamed(name)
  if (builtin === undefined || name === undefined) return undefined
  return (vertex) => {
    const check = builtinCheck(name, [])
    if (builtin.kind === 'constant') meetScalar(vertex, builtin.value)
    else if (check === undefined) setFlaw(vertex, { path: vertex.path, message: `${name} has to be called` })
    else addCheck(vertex, check)
    return true
  }
}

/**
 * The place that a path leads to, or undefined if it is not there (yet).
 * @throws {@link CueError} CUE_REJECTED if the path leads into something that has no fields or items
 */
export function findPlace(
  evaluation: Evaluation,
  expression: Expression,
  surroundings: Surroundings,
): Vertex | undefined {
  if (expression.kind === 'reference') {
    const binding = evaluation.lookup(expression.name, surroundings.scope)
    if (binding?.kind === 'arc') return binding.arc.presence === 'optional' ? undefined : binding.arc.vertex
    if (binding?.kind === 'place') return binding.vertex
  }
  if (expression.kind !== 'select' && expression.kind !== 'index')
    return evaluation.place(expression, outside(surroundings), '')
  const parent = findPlace(evaluation, expression.of, surroundings)
  if (parent === undefined) return undefined
  const settled = evaluation.settle(parent)
  const key =
    expression.kind === 'select'
      ? expression.name
      : evaluation.place(expression.index, outside(surroundings), '').scalar
  const needed = typeof key === 'bigint' ? KIND.list : KIND.struct
  if (key !== undefined && (settled.kinds & needed) === 0) {
    throw new CueError('CUE_REJECTED', 'a path leads into a value without such parts', {
      expected: kindNames(needed),
      found: kindNames(settled.kinds),
    })
  }
  if (typeof key === 'bigint') return itemAt(settled, key)
  const arc = typeof key === 'string' ? settled.arcs.get(key) : undefined
  if (arc === undefined && typeof key === 'string' && [...settled.groups].some((group) => !group.allows(key))) {
    throw new CueError('CUE_REJECTED', 'a path leads to a field that a closed struct cannot have', { found: key })
  }
  return arc === undefined || arc.presence === 'optional' ? undefined : arc.vertex
}

function itemAt({ items, lengthFixed }: Vertex, index: bigint): Vertex | undefined {
  if (index < 0n || (lengthFixed && index >= BigInt(items.length)))
    throw new CueError('CUE_REJECTED', 'a path leads past the end of a list', { found: String(index) })
  return items[Number(index)]
}

/** The place that a path leads to, if it is a path and leads to one. What is wrong with it is for whoever takes it to say. */
export function placeAtPath(
  evaluation: Evaluation,
  expression: Expression,
  surroundings: Surroundings,
): Vertex | undefined {
  if (expression.kind !== 'select' && expression.kind !== 'index') return undefined
  if (builtinConstant(evaluation, { ...surroundings, kind: 'expression', expression }) !== undefined) return undefined
  try {
    return findPlace(evaluation, expression, surroundings)
  } catch (error) {
    if (!isCodedError(error) || error.code === 'CUE_LIMIT') throw error
    return undefined
  }
}

/** The same scope, for something that is not part of the struct itself. */
export function outside(surroundings: Surroundings): Surroundings {
  return { scope: surroundings.scope, groups: [], embedded: false }
}

function takeBound(evaluation: Evaluation, vertex: Vertex, conjunct: ExpressionConjunct): boolean {
  const { expression } = conjunct
  if (expression.kind !== 'bound') return false
  const operand = evaluation.place(expression.operand, outside(conjunct), vertex.path)
  if (operand.flaw !== undefined) setFlaw(vertex, { ...operand.flaw, path: vertex.path })
  else if (isWithoutScalar(operand)) throw wrongOperand(operand.kinds)
  if (operand.scalar === undefined) return operand.flaw !== undefined
  if (expression.operator === '=~' || expression.operator === '!~') {
    // One that is no pattern is wrong whether or not there is a value to try it on.
    if (typeof operand.scalar === 'string') evaluation.budget.pattern(operand.scalar)
  }
  const check = boundCheck(expression.operator, operand.scalar)
  if (check === undefined)
    setFlaw(vertex, { path: vertex.path, message: 'a bound without an order', found: showScalar(operand.scalar) })
  else addCheck(vertex, check)
  return true
}

function addCheck(vertex: Vertex, check: NonNullable<ReturnType<typeof boundCheck>>): void {
  meetKinds(vertex, check.kinds, check.text)
  vertex.checks.push(check)
}

function takeCall(evaluation: Evaluation, vertex: Vertex, conjunct: ExpressionConjunct): boolean {
  const { expression } = conjunct
  const name = expression.kind === 'call' ? builtinName(expression.callee, evaluation.imports) : undefined
  const builtin = name === undefined ? undefined : builtinNamed(name)
  if (expression.kind !== 'call' || name === undefined || builtin === undefined || builtin.kind === 'constant')
    return false
  const [first] = expression.args
  if (builtin.kind === 'special' && first !== undefined)
    return takeSpecial(evaluation, vertex, { name, argument: first, surroundings: conjunct })
  const outcome = evaluation.once(conjunct, () => callOutcome(evaluation, { name, args: expression.args }, conjunct))
  if (outcome.kind === 'flaw') setFlaw(vertex, { ...outcome.flaw, path: vertex.path })
  else if (outcome.kind === 'check') addCheck(vertex, outcome.check)
  else return takeResult(evaluation, vertex, outcome.result)
  return true
}

type CallOutcome =
  | { readonly kind: 'flaw'; readonly flaw: Omit<Flaw, 'path'> }
  | { readonly kind: 'check'; readonly check: Check }
  | { readonly kind: 'result'; readonly result: Calculated }

/** @throws {@link CueError} what the builtin throws */
function callOutcome(
  evaluation: Evaluation,
  { name, args }: { readonly name: string; readonly args: readonly Expression[] },
  surroundings: Surroundings,
): CallOutcome {
  const builtin = builtinNamed(name)
  const places = args.map((arg) => evaluation.place(arg, outside(surroundings), ''))
  const flawed = places.find((place) => place.flaw !== undefined)?.flaw
  if (flawed !== undefined) return { kind: 'flaw', flaw: flawed }
  if (builtin?.kind !== 'function') return { kind: 'flaw', flaw: { message: `${name} takes other arguments` } }
  for (const place of places) for (const item of place.items) evaluation.settle(item)
  const subjects = places.map((place) => subjectOf(place))
  const check = builtinCheck(name, subjects)
  if (check !== undefined) return { kind: 'check', check }
  if (places.length === builtin.parameters) return { kind: 'result', result: builtin.call(subjects, evaluation.budget) }
  return { kind: 'flaw', flaw: { message: `${name} takes ${String(builtin.parameters)} arguments` } }
}

function takeSpecial(
  evaluation: Evaluation,
  vertex: Vertex,
  {
    name,
    argument,
    surroundings,
  }: { readonly name: string; readonly argument: Expression; readonly surroundings: Surroundings },
): boolean {
  if (name === 'close') {
    const groups = [...surroundings.groups, new CloseGroup()]
    evaluation.take(vertex, { ...surroundings, groups, kind: 'expression', expression: argument })
    return true
  }
  if (name === 'error') {
    const text = evaluation.place(argument, outside(surroundings), '').scalar
    setFlaw(vertex, { path: vertex.path, message: typeof text === 'string' ? text : 'the policy says error' })
    return true
  }
  if (
    argument.kind !== 'list' ||
    argument.rest !== 'closed' ||
    argument.items.some((item) => item.kind === 'comprehension')
  ) {
    setFlaw(vertex, { path: vertex.path, message: `${name} takes a list that is written out` })
    return true
  }
  for (const expression of spelledOut(name, argument))
    evaluation.take(vertex, { ...surroundings, kind: 'expression', expression })
  return true
}

const disjunctions = new WeakMap<Expression, Expression>()

/** `and([a, b])` is a & b, `or([a, b])` is a | b: always the same disjunction, so that a choice among it can be remembered. */
function spelledOut(name: string, list: Expression & { readonly kind: 'list' }): readonly Expression[] {
  const items = list.items.filter((item) => item.kind !== 'comprehension')
  if (name === 'and') return items
  const alternatives = items.map((value) => ({ value, isDefault: false }))
  const disjunction = disjunctions.get(list) ?? { kind: 'disjunction', alternatives, line: list.line }
  disjunctions.set(list, disjunction)
  return [disjunction]
}

function calculateExpression(evaluation: Evaluation, conjunct: ExpressionConjunct): Calculated {
  const { expression } = conjunct
  const value = (part: Expression): Scalar | undefined => scalarOf(evaluation.place(part, outside(conjunct), ''))
  if (expression.kind === 'interpolation') return interpolate(expression.parts, value, evaluation.budget)
  if (expression.kind === 'unary') return unary(expression.operator, value(expression.operand))
  if (expression.kind !== 'binary') return undefined
  const { operator, left, right } = expression
  const a = value(left)
  const b = value(right)
  return a === undefined || b === undefined ? undefined : binary(operator, [a, b], evaluation.budget)
}

function interpolate(
  parts: readonly (string | Expression)[],
  value: (part: Expression) => Scalar | undefined,
  budget: Budget,
): Calculated {
  let text = ''
  for (const part of parts) {
    const piece = typeof part === 'string' ? part : value(part)
    if (piece === undefined) return undefined
    if (piece === null) throw wrongOperand(kindOf(piece))
    const made = isFloat(piece) ? String(piece.float) : String(piece)
    budget.make(text.length + made.length)
    text += made
  }
  return text
}

/** @throws {@link CueError} CUE_REJECTED for what can have no scalar: a contradiction, or a struct or list */
function scalarOf(place: Vertex): Scalar | undefined {
  const { flaw, kinds, scalar } = place
  if (flaw !== undefined) throw new CueError('CUE_REJECTED', flaw.message, flaw)
  if (isWithoutScalar(place)) throw wrongOperand(kinds)
  return scalar
}

function isWithoutScalar({ kinds, scalar }: Vertex): boolean {
  return scalar === undefined && (kinds & ~(KIND.struct | KIND.list)) === 0
}

function wrongOperand(kinds: number): CueError {
  return new CueError('CUE_REJECTED', 'an operand of a kind that the operator does not take', {
    found: kindNames(kinds),
  })
}

function unary(operator: '!' | '-' | '+', operand: Scalar | undefined): Calculated {
  if (operand === undefined) return undefined
  if (operator === '!' && typeof operand === 'boolean') return !operand
  if (operator !== '!' && typeof operand === 'bigint') return operator === '-' ? -operand : operand
  if (operator !== '!' && isFloat(operand)) return { float: operator === '-' ? -operand.float : operand.float }
  throw wrongOperand(kindOf(operand))
}

type BinaryOperator = (Expression & { readonly kind: 'binary' })['operator']

type Pair = readonly [Scalar, Scalar]

function binary(operator: BinaryOperator, [a, b]: Pair, budget: Budget): Scalar {
  const result = binaryResult(operator, [a, b], budget)
  if (result === undefined) throw wrongOperand(kindOf(a) | kindOf(b))
  return result
}

function binaryResult(operator: BinaryOperator, [a, b]: Pair, budget: Budget): Scalar | undefined {
  budget.read(a, b)
  switch (operator) {
    case '==':
      return equalAmount(a, b)
    case '!=':
      return !equalAmount(a, b)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return haveOrder(a, b) ? compareWith(operator, a, b) : undefined
    case '=~':
    case '!~':
      if (typeof a !== 'string' || typeof b !== 'string') return undefined
      return budget.occurs(b, a) === (operator === '=~')
    case '&&':
    case '||':
      if (typeof a !== 'boolean' || typeof b !== 'boolean') return undefined
      return operator === '&&' ? a && b : a || b
    case '&':
      return undefined
    default:
      if (typeof a === 'string' && typeof b === 'string') budget.make(a.length + b.length)
      if (typeof a === 'bigint' && typeof b === 'bigint') budget.digits(a, b)
      return calculate(operator, a, b)
  }
}
