/** Decimal digits of doubles, exact and rounded to even, as Go writes them. JavaScript rounds halves up, and stops at 10²¹. @module */

/** The number as a fraction of integers. */
function fractionOf(value: number): { readonly top: bigint; readonly bottom: bigint } {
  let exponent = 0
  let mantissa = value
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent++
  }
  return { top: BigInt(mantissa), bottom: 2n ** BigInt(exponent) }
}

/** The number times a power of ten, rounded to the nearest integer, halves to the even one. */
function scaled(value: number, power: number): bigint {
  const { top, bottom } = fractionOf(value)
  const [over, under] = power >= 0 ? [top * 10n ** BigInt(power), bottom] : [top, bottom * 10n ** BigInt(-power)]
  const whole = over / under
  const twice = (over % under) * 2n
  return twice > under || (twice === under && whole % 2n === 1n) ? whole + 1n : whole
}

/** `1234.50`, for a number that is finite and not negative. */
export function fixedDigits(value: number, digits: number): { readonly whole: string; readonly fraction: string } {
  const text = String(scaled(value, digits)).padStart(digits + 1, '0')
  const point = text.length - digits
  return { whole: text.slice(0, point), fraction: text.slice(point) }
}

/** `1.2345` and an exponent, for a number that is finite and not negative. */
export function scientificDigits(
  value: number,
  digits: number,
): { readonly whole: string; readonly fraction: string; readonly exponent: number } {
  if (value === 0) return { whole: '0', fraction: '0'.repeat(digits), exponent: 0 }
  const exponent = Number(value.toExponential().split('e')[1])
  const text = String(scaled(value, digits - exponent))
  // 9.99 becomes 10.0: one digit more, which is a zero.
  const rounded = text.length > digits + 1 ? exponent + 1 : exponent
  return { whole: text.slice(0, 1), fraction: text.slice(1, digits + 1), exponent: rounded }
}
