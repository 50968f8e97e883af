/** Values without parts: their kinds, comparing and calculating with them. @module */
import { compareBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'
import type { CueFloat, Scalar } from './ast.js'

/** Kinds of values, as bits of a set. */
export const KIND = {
  null: 1,
  bool: 2,
  int: 4,
  float: 8,
  string: 16,
  struct: 32,
  list: 64,
} as const
export const NUMBER: number = KIND.int | KIND.float
export const ANY_KIND = 127

export function kindOf(value: Scalar): number {
  if (value === null) return KIND.null
  if (typeof value === 'boolean') return KIND.bool
  if (typeof value === 'bigint') return KIND.int
  return typeof value === 'string' ? KIND.string : KIND.float
}

/** The names of the kinds in a set, for messages. */
export function kindNames(kinds: number): string {
  const names = Object.entries(KIND).flatMap(([name, bit]) => ((kinds & bit) === 0 ? [] : [name]))
  return names.length === 0 ? 'nothing' : names.join('|')
}

export function isFloat(value: Scalar): value is CueFloat {
  return typeof value === 'object' && value !== null
}

/** Whether two values are one. An integer and a float are not, even of the same amount. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  return isFloat(a) && isFloat(b) ? a.float === b.float : a === b
}

export function isNumber(value: Scalar): boolean {
  return typeof value === 'bigint' || isFloat(value)
}

/** `==` and `!=`: numbers by their amount, whatever their kind. */
export function equalAmount(a: Scalar, b: Scalar): boolean {
  return isNumber(a) && isNumber(b) ? orderOf(a, b) === 0 : sameScalar(a, b)
}

/** The verdict of an ordering between two numbers or two texts (by their UTF-8 bytes). Without an order it is false. */
export function compareWith(operator: '<' | '<=' | '>' | '>=', a: Scalar, b: Scalar): boolean {
  const order = orderOf(a, b)
  if (order === undefined) return false
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  return operator === '>' ? order > 0 : order >= 0
}

/** Whether two values are both numbers or both texts. */
export function haveOrder(a: Scalar, b: Scalar): boolean {
  return (isNumber(a) && isNumber(b)) || (typeof a === 'string' && typeof b === 'string')
}

function orderOf(a: Scalar, b: Scalar): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(encodeUtf8(a), encodeUtf8(b))
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  return isNumber(a) && isNumber(b) ? amount(a) - amount(b) : undefined
}

/** A number as the runtime's own. */
export function amount(value: Scalar): number {
  return isFloat(value) ? value.float : Number(value)
}

/** The result of + - * / on two scalars, or undefined where there is none. */
export function calculate(operator: '+' | '-' | '*' | '/', a: Scalar, b: Scalar): Scalar | undefined {
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') return a + b
  if ((kindOf(a) & NUMBER) === 0 || (kindOf(b) & NUMBER) === 0) return undefined
  if (operator === '/') return amount(b) === 0 ? undefined : { float: amount(a) / amount(b) }
  if (typeof a === 'bigint' && typeof b === 'bigint') return operator === '+' ? a + b : operator === '-' ? a - b : a * b
  const [x, y] = [amount(a), amount(b)]
  return { float: operator === '+' ? x + y : operator === '-' ? x - y : x * y }
}

/** A scalar as CUE would write it, cut to a readable length. */
export function showScalar(value: Scalar): string {
  const text = isFloat(value) ? String(value.float) : typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
