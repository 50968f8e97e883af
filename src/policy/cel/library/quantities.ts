/** Kubernetes quantities: `100Mi`, `1.5`. @module */
import { parseQuantity } from '#policy/jmespath/quantity'
import type { Quantity as Parsed } from '#policy/jmespath/quantity'
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library } from '../environment.js'
import { bool, double, int, opaqueKind, string } from '../kind.js'
import { Opaque } from '../values.js'

const INT_END = 2n ** 63n
/** What does not fit into 64 bits is kept in billionths. */
const NANO = -9

/**
 * An amount, as a number times a power of ten. Kubernetes keeps a small one as it was written: whether it counts as an integer
 * depends on that, not on what it is worth.
 */
class Quantity extends Opaque {
  override readonly typeName = 'kubernetes.Quantity'
  readonly value: bigint
  readonly scale: number
  readonly small: boolean

  constructor(value: bigint, scale: number, small: boolean) {
    super()
    this.value = value
    this.scale = scale
    this.small = small
  }

  get nanos(): bigint {
    return this.at(NANO)
  }

  /** The number at a smaller power of ten. */
  at(scale: number): bigint {
    return this.value * 10n ** BigInt(Math.max(0, this.scale - scale))
  }

  override equals(other: Opaque): boolean {
    return other instanceof Quantity && compare(this, other) === 0n
  }
}

const quantity = opaqueKind('kubernetes.Quantity', Quantity)

function compare(a: Quantity, b: Quantity): bigint {
  const [x, y] = [a.nanos, b.nanos]
  return x < y ? -1n : x > y ? 1n : 0n
}

function fits(value: bigint): boolean {
  return value >= -INT_END && value < INT_END
}

const PARTS = /^([+-]?)0*(\d*)(?:\.(\d*))?(.*)$/s
const BINARY_POWERS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const DECIMAL_POWERS = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']

function quantityOf(text: string): Quantity | undefined {
  const parsed = parseQuantity(text)
  if (parsed === undefined) return undefined
  const [, sign, digits = '', fraction = '', suffix = ''] = PARTS.exec(text) ?? []
  const whole = digits === '' ? '0' : digits
  const value = BigInt((sign ?? '') === '-' ? `-${whole}${fraction}` : `${whole}${fraction}`)
  return smallQuantity(value, { parsed, whole, fraction, suffix }) ?? new Quantity(capped(parsed), NANO, false)
}

interface Written {
  readonly parsed: Parsed
  readonly whole: string
  readonly fraction: string
  readonly suffix: string
}

/** What Kubernetes keeps in 64 bits. */
function smallQuantity(value: bigint, { parsed, whole, fraction, suffix }: Written): Quantity | undefined {
  if (parsed.format === 'binary') {
    const power = BINARY_POWERS.indexOf(suffix) * 10
    const amount = value * 2n ** BigInt(power)
    const precision = 15 - whole.length - Math.trunc((power * 3) / 10) - 1
    return fraction === '' && precision >= 0 && fits(amount) ? new Quantity(amount, 0, true) : undefined
  }
  const power = parsed.format === 'exponent' ? Number(suffix.slice(1)) : DECIMAL_POWERS.indexOf(suffix) * 3 + NANO
  const scale = power - fraction.length
  return 18 - whole.length - fraction.length >= 0 && scale >= NANO ? new Quantity(value, scale, true) : undefined
}

/** With a binary suffix there is a largest quantity. */
function capped({ nanos, format }: Parsed): bigint {
  const most = (INT_END - 1n) * 10n ** 9n
  if (format !== 'binary') return nanos
  return nanos > most ? most : nanos < -most ? -most : nanos
}

function readQuantity(text: string): Quantity {
  const read = quantityOf(text)
  if (read !== undefined) return read
  throw evaluationError('not a quantity', { expected: 'such as 100Mi or 1.5', found: text.slice(0, 60) })
}

function asInteger({ value, scale, small }: Quantity): bigint | undefined {
  if (!small || scale < 0 || (value !== 0n && scale > 18)) return undefined
  const amount = value * 10n ** BigInt(value === 0n ? 0 : scale)
  return fits(amount) ? amount : undefined
}

function sum(a: Quantity, b: Quantity): Quantity {
  if (a.small && b.small) {
    if (a.value === 0n) return b
    if (b.value === 0n) return a
    const scale = Math.min(a.scale, b.scale)
    const [x, y] = [a.at(scale), b.at(scale)]
    if (fits(x) && fits(y) && fits(x + y)) return new Quantity(x + y, scale, true)
  }
  return new Quantity(a.nanos + b.nanos, NANO, false)
}

function negated({ value, scale, small }: Quantity): Quantity {
  return new Quantity(-value, scale, small)
}

function whole(value: bigint): Quantity {
  return new Quantity(value, 0, true)
}

export const QUANTITIES: Library = {
  quantity: [free([string], quantity, ([text]) => readQuantity(text))],
  isQuantity: [free([string], bool, ([text]) => quantityOf(text) !== undefined)],
  sign: [free([quantity], int, ([{ value }]) => (value < 0n ? -1n : value > 0n ? 1n : 0n))],
  isGreaterThan: [member([quantity, quantity], bool, ([a, b]) => compare(a, b) > 0n)],
  isLessThan: [member([quantity, quantity], bool, ([a, b]) => compare(a, b) < 0n)],
  compareTo: [member([quantity, quantity], int, ([a, b]) => compare(a, b))],
  asApproximateFloat: [
    member(
      [quantity],
      double,
      ([{ value, scale }]) => Number(value) * (scale === 0 ? 1 : Number(`1e${String(scale)}`)),
    ),
  ],
  asInteger: [
    member([quantity], int, ([of]) => {
      const value = asInteger(of)
      if (value === undefined) throw evaluationError('cannot convert value to integer')
      return value
    }),
  ],
  isInteger: [member([quantity], bool, ([of]) => asInteger(of) !== undefined)],
  add: [
    member([quantity, quantity], quantity, ([a, b]) => sum(a, b)),
    member([quantity, int], quantity, ([a, b]) => sum(a, whole(b))),
  ],
  sub: [
    member([quantity, quantity], quantity, ([a, b]) => sum(a, negated(b))),
    member([quantity, int], quantity, ([a, b]) => sum(a, whole(-b))),
  ],
}
