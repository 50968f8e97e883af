/** Arithmetic of 64 bits, and the text forms of numbers as Go writes and reads them. @module */
import { evaluationError } from './cel-error.js'
import { Uint } from './values.js'

const INT_END = 2n ** 63n
const UINT_END = 2n ** 64n

/** @throws CelError `CEL_EVALUATION` if it takes more than 64 bits */
export function intOf(value: bigint): bigint {
  if (value < -INT_END || value >= INT_END) throw evaluationError('integer overflow')
  return value
}

/** @throws CelError `CEL_EVALUATION` if it is negative or takes more than 64 bits */
export function uintOf(value: bigint): Uint {
  if (value < 0n || value >= UINT_END) throw evaluationError('unsigned integer overflow')
  return new Uint(value)
}

/** The whole part. @throws CelError `CEL_EVALUATION` */
export function intOfDouble(value: number): bigint {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw evaluationError('integer overflow')
  return BigInt(Math.trunc(value))
}

/** The whole part. @throws CelError `CEL_EVALUATION` */
export function uintOfDouble(value: number): Uint {
  if (!(value >= 0 && value < 2 ** 64)) throw evaluationError('unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
}

/** @throws CelError `CEL_EVALUATION` */
export function nonZero<T extends bigint | number>(divisor: T, operation: 'division' | 'modulus'): T {
  if (Number(divisor) === 0) throw evaluationError(operation === 'division' ? 'division by zero' : 'modulus by zero')
  return divisor
}

/** The rest of a division, where there is a division. @throws CelError `CEL_EVALUATION` */
export function remainder(value: bigint, divisor: bigint): bigint {
  const quotient = intOf(value / nonZero(divisor, 'modulus'))
  return value - quotient * divisor
}

/** @throws CelError `CEL_EVALUATION` */
export function parseInt64(text: string): bigint {
  if (text.length > 64 || !/^[+-]?\d+$/.test(text)) throw notConvertible('int', text)
  return intOf(BigInt(text.replace('+', '')))
}

/** @throws CelError `CEL_EVALUATION` */
export function parseUint64(text: string): Uint {
  if (text.length > 64 || !/^\d+$/.test(text)) throw notConvertible('uint', text)
  return uintOf(BigInt(text))
}

const WORDS: ReadonlyMap<string, number> = new Map([
  ['inf', Infinity],
  ['infinity', Infinity],
  ['nan', NaN],
])

/** @throws CelError `CEL_EVALUATION` */
export function parseDouble(text: string): number {
  const word = /^([+-]?)([a-z]+)$/i.exec(text)
  const named = WORDS.get(word?.[2]?.toLowerCase() ?? '')
  if (named !== undefined && !(Number.isNaN(named) && word?.[1] !== '')) return word?.[1] === '-' ? -named : named
  if (text.length > 400 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) throw notConvertible('double', text)
  const value = Number(text)
  if (!Number.isFinite(value)) throw notConvertible('double', text)
  return value
}

/** @throws CelError `CEL_EVALUATION` */
export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw notConvertible('bool', text)
}

function notConvertible(type: string, text: string): Error {
  return evaluationError(`type conversion error from 'string' to '${type}'`, { found: text.slice(0, 60) })
}

/** The shortest digits that mean this number, with an exponent below a ten-thousandth and from a million. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', power = ''] = value.toExponential().split('e')
  const exponent = Number(power)
  return exponent < -4 || exponent >= 6 ? withExponent(digits, exponent) : String(value)
}

function withExponent(digits: string, exponent: number): string {
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}
