/** Fields and keys: what is there, and what is said of what is not. @module */
import { evaluationError, noSuchOverload } from './cel-error.js'
import type { World } from './environment.js'
import { CelMap, isList, NONE, Optional, PENDING, typeNameOf } from './values.js'
import type { CelValue, Outcome } from './values.js'

/** `operand.field`, `operand.?field`. After an optional, everything that follows is optional. */
export function select(
  operand: Outcome,
  { field, optional }: { readonly field: string; readonly optional: boolean },
  { budget }: World,
): Outcome {
  budget.spend(1)
  if (operand === PENDING) return PENDING
  if (operand instanceof Optional) return operand.value === undefined ? NONE : softly(operand.value, field)
  return optional ? softly(operand, field) : strictly(operand, field)
}

function strictly(operand: CelValue, field: string): Outcome {
  if (!(operand instanceof CelMap)) throw noSuchOverload(`.${field}`, [typeNameOf(operand)])
  const value = operand.get(field)
  if (value === undefined) throw evaluationError(`no such key: ${field}`)
  return value
}

/** What has no fields at all has not this one. */
function softly(operand: CelValue, field: string): Outcome {
  if (isList(operand)) throw noSuchOverload(`.${field}`, ['list'])
  const value = operand instanceof CelMap ? operand.get(field) : undefined
  if (value === PENDING) return PENDING
  return value === undefined ? NONE : new Optional(value)
}

/** `has(operand.field)` */
export function isPresent(operand: Outcome, field: string, { budget }: World): Outcome {
  budget.spend(1)
  if (operand === PENDING) return PENDING
  if (operand instanceof Optional) return operand.value !== undefined && isPresentIn(operand.value, field)
  return isPresentIn(operand, field)
}

function isPresentIn(operand: CelValue, field: string): boolean {
  if (isList(operand)) throw noSuchOverload('has', ['list'])
  return operand instanceof CelMap && operand.has(field)
}
