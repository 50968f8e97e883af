/** Numbers as Rego has them: exact decimals, also beyond what a double holds. @module */
import { RegoError } from './rego-error.js'

/** A number that a double does not hold: `digits` × 10^`exponent`. */
export class BigNumber {
  readonly digits: bigint
  readonly exponent: number
  /** Whether there is more to it than these digits, as with 1/3. */
  readonly inexact: boolean

  constructor(digits: bigint, exponent: number, inexact: boolean) {
    this.digits = digits
    this.exponent = exponent
    this.inexact = inexact
  }
}

export type RegoNumber = number | BigNumber

/** Decimals of so many digits survive a double, and the 64 bits that the original computes fractions with. */
const SAFE_DIGITS = 15
const MAX_EXPONENT = 400
const MAX_DIGITS = 400
/** How many digits of a quotient that does not end are kept. */
const QUOTIENT_DIGITS = 30

/** The number of a JSON number's text. @throws {@link RegoError} REGO_LIMIT */
export function numberOf(text: string): RegoNumber {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null) throw inexact()
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  if (whole.length + fraction.length > MAX_DIGITS || exponent.length > 5) throw inexact()
  return normal(BigInt(`${sign}${whole}${fraction}`), Number(exponent) - fraction.length)
}

/** The number of a JSON value: whole numbers that the JSON reader had to round are marked. */
export function numberOfJson(value: number): RegoNumber {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value === 0 ? 0 : value
  return new BigNumber(BigInt(value), 0, true)
}

export function numberOfBigint(value: bigint): RegoNumber {
  return normal(value, 0)
}

function normal(digits: bigint, exponent: number): RegoNumber {
  if (digits === 0n) return 0
  while (exponent < 0 && digits % 10n === 0n) {
    digits /= 10n
    exponent += 1
  }
  if (Math.abs(exponent) > MAX_EXPONENT) throw inexact()
  if (exponent > 0) {
    digits *= 10n ** BigInt(exponent)
    exponent = 0
  }
  const text = String(digits).replace('-', '')
  if (text.length > 2 * MAX_DIGITS) throw inexact()
  if (exponent === 0)
    return BigInt(Number.MAX_SAFE_INTEGER) >= abs(digits) ? Number(digits) : new BigNumber(digits, 0, false)
  return text.length <= SAFE_DIGITS && exponent > -100
    ? Number(`${String(digits)}e${String(exponent)}`)
    : new BigNumber(digits, exponent, false)
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}

interface Parts {
  readonly digits: bigint
  readonly exponent: number
  readonly inexact: boolean
}

function partsOf(value: RegoNumber): Parts {
  if (value instanceof BigNumber) return value
  if (Number.isInteger(value)) return { digits: BigInt(value), exponent: 0, inexact: false }
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length, inexact: false }
}

function aligned(a: RegoNumber, b: RegoNumber): readonly [bigint, bigint, number, boolean] {
  const x = partsOf(a)
  const y = partsOf(b)
  const exponent = Math.min(x.exponent, y.exponent)
  const scale = (parts: Parts): bigint => parts.digits * 10n ** BigInt(parts.exponent - exponent)
  return [scale(x), scale(y), exponent, x.inexact || y.inexact]
}

/** Less, equal or greater. @throws {@link RegoError} REGO_LIMIT where rounding could make the difference. */
export function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0
  const [x, y, , rounded] = aligned(a, b)
  if (rounded && abs(x - y) << 48n <= abs(x)) throw inexact()
  return x < y ? -1 : x > y ? 1 : 0
}

/** The canonical text; integers without an exponent. @throws {@link RegoError} REGO_LIMIT if the digits are not all known. */
export function numberText(value: RegoNumber): string {
  if (typeof value === 'number') return String(value)
  if (value.inexact) throw inexact()
  return value.exponent === 0 ? String(value.digits) : `${String(value.digits)}e${String(value.exponent)}`
}

export function isWhole(value: RegoNumber): boolean {
  return typeof value === 'number' ? Number.isInteger(value) : value.exponent === 0
}

type Arithmetic = (a: RegoNumber, b: RegoNumber) => RegoNumber | undefined

function exactly(of: (x: bigint, y: bigint, exponent: number) => RegoNumber | undefined): Arithmetic {
  return (a, b) => {
    const [x, y, exponent, rounded] = aligned(a, b)
    if (rounded) throw inexact()
    const result = of(x, y, exponent)
    // The original rounds fractions to 64 bits; so many digits come out of that unchanged.
    if (result instanceof BigNumber && result.exponent !== 0 && !result.inexact) throw inexact()
    return result
  }
}

export const add: Arithmetic = exactly((x, y, exponent) => normal(x + y, exponent))
export const subtract: Arithmetic = exactly((x, y, exponent) => normal(x - y, exponent))
export const multiply: Arithmetic = exactly((x, y, exponent) => normal(x * y, 2 * exponent))
/** Undefined for a division by zero. */
export const divide: Arithmetic = exactly((x, y) => {
  if (y === 0n) return undefined
  const scaled = x * 10n ** BigInt(QUOTIENT_DIGITS)
  return scaled % y === 0n ? normal(scaled / y, -QUOTIENT_DIGITS) : new BigNumber(scaled / y, -QUOTIENT_DIGITS, true)
})
/** Undefined for a fraction or zero. The sign is that of the dividend. */
export const remainder: Arithmetic = exactly((x, y, exponent) =>
  exponent < 0 || y === 0n ? undefined : normal(x % y, exponent),
)

/** A number without its fraction, towards where `mode` says; halves go away from zero. */
export function rounded(value: RegoNumber, mode: 'floor' | 'ceil' | 'round'): RegoNumber {
  const { digits, exponent } = partsOf(value)
  if (exponent >= 0) return value
  const unit = 10n ** BigInt(-exponent)
  const below = digits / unit - (digits % unit < 0n ? 1n : 0n)
  if (mode === 'floor') return normal(below, 0)
  const isWholeNumber = digits % unit === 0n
  if (mode === 'ceil') return normal(isWholeNumber ? below : below + 1n, 0)
  const half = (2n * abs(digits) + unit) / (2n * unit)
  return normal(digits < 0n ? -half : half, 0)
}

function inexact(): RegoError {
  return new RegoError('REGO_LIMIT', 'a number needs more digits than are computed with', {
    expected: 'whole numbers, or decimals of up to 15 digits',
    hint: 'multiply instead of dividing: a * 2 > b rather than a / b > 0.5',
  })
}
