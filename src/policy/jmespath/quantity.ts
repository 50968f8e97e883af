/** Kubernetes quantities (`100Mi`, `0.5`, `2e3`), exact to the billionth as Kubernetes keeps them. @module */

/** An amount in billionths, and how it is written. */
export interface Quantity {
  readonly nanos: bigint
  /** How many decimals it was written with: fewer than none in thousands. */
  readonly decimals?: number
  readonly format: 'decimal' | 'exponent' | 'binary'
}

const FORM = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,3}))?$/
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const ONE = 1_000_000_000n

/** Longest text that is looked at. */
const MAX_LENGTH = 100

/** The quantity of a text, or undefined if it is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = text.length > MAX_LENGTH ? null : FORM.exec(text)
  if (match === null) return undefined
  const [, sign, number = '', binary, decimal, exponent] = match
  const [whole = '', fraction = ''] = number.split('.')
  const power =
    exponent === undefined ? (decimal === undefined ? 0 : DECIMAL.indexOf(decimal) * 3 - 9) : Number(exponent)
  const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary))
  const size = scaled(BigInt(whole + fraction) * factor, power + 9 - fraction.length)
  const format = binary !== undefined ? 'binary' : exponent === undefined ? 'decimal' : 'exponent'
  return { nanos: sign === '-' ? -size : size, decimals: fraction.length - power, format }
}

/** Digits below the billionth are rounded away from zero, as Kubernetes does. */
function scaled(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (value + divisor - 1n) / divisor
}

/** A quantity in its canonical form. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0'
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (format === 'binary' && size >= 1024n * ONE && size % ONE === 0n) {
    const [value, power] = reduced(size / ONE, 1024n, BINARY.length - 1)
    return `${sign}${String(value)}${BINARY[power] ?? ''}`
  }
  const [value, power] = reduced(size, 1000n, format === 'exponent' ? 200 : DECIMAL.length - 1)
  if (format !== 'exponent') return `${sign}${String(value)}${DECIMAL[power] ?? ''}`
  return `${sign}${String(value)}${power === 3 ? '' : `e${String(power * 3 - 9)}`}`
}

function reduced(value: bigint, base: bigint, most: number): readonly [value: bigint, power: number] {
  let left = value
  let power = 0
  while (power < most && left % base === 0n) {
    left /= base
    power++
  }
  return [left, power]
}

/** A quantity as a number, as near as there is one. */
export function quantityNumber({ nanos }: Quantity): number {
  return Number(nanos / ONE) + Number(nanos % ONE) / 1e9
}
