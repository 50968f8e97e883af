/** Kyverno's arithmetic over numbers, Kubernetes quantities and durations. @module */
import { formatDuration, inSeconds, isDuration, parseDuration } from './duration.js'
import type { Nanoseconds } from './duration.js'
import { evaluationError } from './jmespath-error.js'
import { formatQuantity, parseQuantity, quantityNumber } from './quantity.js'
import type { Quantity } from './quantity.js'
import { goNumber } from './json-values.js'

/** What can be calculated with. A text that is a quantity is never taken for a duration. */
type Operand =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'quantity'; readonly value: Quantity }
  | { readonly kind: 'duration'; readonly value: Nanoseconds }

/** A calculation of Kyverno's, on a number or the text of a quantity or duration. */
export type Arithmetic = (left: number | string, right: number | string) => number | string

interface Rules {
  readonly numbers?: (a: number, b: number) => number
  readonly quantities?: (a: Quantity, b: Quantity) => Quantity | number
  readonly durations?: (a: bigint, b: bigint) => bigint | number
  readonly quantityByNumber?: (a: Quantity, b: Quantity) => Quantity
  readonly durationByNumber?: (seconds: number, b: number) => number
  /** Whether a number may come first, too. */
  readonly commutes?: true
}

const ONE = 1_000_000_000n

const ADD: Rules = {
  numbers: (a, b) => a + b,
  quantities: (a, b) => ({ nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format }),
  durations: (a, b) => a + b,
}

const SUBTRACT: Rules = {
  numbers: (a, b) => a - b,
  quantities: (a, b) => ({ nanos: a.nanos - b.nanos, format: a.nanos === 0n ? b.format : a.format }),
  durations: (a, b) => a - b,
}

const MULTIPLY: Rules = {
  numbers: (a, b) => a * b,
  quantityByNumber: (a, b) => ({ nanos: (a.nanos * b.nanos) / ONE, format: a.format }),
  durationByNumber: (a, b) => a * b,
  commutes: true,
}

const DIVIDE: Rules = {
  numbers: (a, b) => a / nonZero(b),
  quantities: (a, b) => quantityNumber(a) / nonZero(quantityNumber(b)),
  durations: (a, b) => inSeconds(a) / nonZero(inSeconds(b)),
  quantityByNumber: quotient,
  durationByNumber: (a, b) => a / nonZero(b),
}

const MODULO: Rules = {
  numbers: (a, b) => Number(wholeNumber(a) % nonZero(wholeNumber(b))),
  quantities: (a, b) => ({ nanos: (whole(a.nanos) % nonZero(whole(b.nanos))) * ONE, format: a.format }),
  durations: (a, b) => a % nonZero(b),
}

/** The calculations by name. */
export const ARITHMETIC: Readonly<Record<'add' | 'subtract' | 'multiply' | 'divide' | 'modulo', Arithmetic>> = {
  add: calculation(ADD),
  subtract: calculation(SUBTRACT),
  multiply: calculation(MULTIPLY),
  divide: calculation(DIVIDE),
  modulo: calculation(MODULO),
}

function calculation(rules: Rules): Arithmetic {
  return (left, right) => {
    const [a, b] = [operand(left), operand(right)]
    if (rules.commutes === true && a.kind === 'number' && b.kind !== 'number') return calculate(rules, b, a)
    return calculate(rules, a, b)
  }
}

function calculate(rules: Rules, a: Operand, b: Operand): number | string {
  if (a.kind === 'number' && b.kind === 'number' && rules.numbers) return finite(rules.numbers(a.value, b.value))
  if (a.kind === 'quantity' && b.kind === 'quantity' && rules.quantities) {
    return written(rules.quantities(a.value, b.value))
  }
  if (a.kind === 'duration' && b.kind === 'duration' && rules.durations) {
    const result = rules.durations(a.value, b.value)
    return typeof result === 'number' ? finite(result) : duration(result)
  }
  if (a.kind === 'quantity' && b.kind === 'number' && rules.quantityByNumber) {
    const factor = parseQuantity(goNumber(b.value))
    if (factor === undefined) throw evaluationError('a number is too large or too small to calculate with')
    return written(rules.quantityByNumber(a.value, factor))
  }
  if (a.kind === 'duration' && b.kind === 'number' && rules.durationByNumber) {
    return duration(BigInt(Math.trunc(finite(rules.durationByNumber(inSeconds(a.value), b.value) * 1e9))))
  }
  throw evaluationError('these two cannot be calculated with', {
    expected: 'values that go together',
    found: `a ${a.kind} and a ${b.kind}`,
  })
}

function operand(value: number | string): Operand {
  if (typeof value === 'number') return { kind: 'number', value }
  const quantity = parseQuantity(value)
  if (quantity !== undefined) return { kind: 'quantity', value: quantity }
  const time = parseDuration(value)
  if (time !== undefined) return { kind: 'duration', value: time }
  throw evaluationError('not something to calculate with', {
    expected: 'a number, a quantity or a duration',
    found: value.slice(0, 40),
  })
}

function written(result: Quantity | number): number | string {
  return typeof result === 'number' ? finite(result) : formatQuantity(result)
}

function duration(value: bigint): string {
  if (!isDuration(value)) throw evaluationError('a duration is longer than 290 years')
  return formatDuration(value)
}

/** With as many decimals as the more precise of the two has; digits below are cut off. */
function quotient(a: Quantity, b: Quantity): Quantity {
  const unit = 10n ** BigInt(Math.max(0, 9 - Math.max(a.decimals ?? 0, b.decimals ?? 0)))
  const nanos = (a.nanos * ONE) / nonZero(b.nanos)
  return { nanos: nanos - (nanos % unit), format: a.format }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw evaluationError('a number is too large')
  return value
}

function nonZero<T extends number | bigint>(value: T): T {
  if (Number(value) === 0) throw evaluationError('division by zero')
  return value
}

function wholeNumber(value: number): bigint {
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 63)
    throw evaluationError('modulo takes whole numbers', { found: String(value) })
  return BigInt(value)
}

function whole(nanos: bigint): bigint {
  if (nanos % ONE !== 0n) throw evaluationError('modulo takes whole quantities')
  return nanos / ONE
}
