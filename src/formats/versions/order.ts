/** What every order of versions is made of. @module */

/**
 * Compares two versions: negative, zero or positive, or undefined where one of them is no version of this scheme. Unknown
 * is never taken for an order.
 */
export type CompareVersions = (a: string, b: string) => number | undefined

/** No ecosystem has longer ones; texts of strangers are not taken apart beyond. */
const MAX_LENGTH = 1024

/** An order from a reader of versions and an order of what it reads. */
export function orderOf<Version>(
  parse: (text: string) => Version | undefined,
  compare: (a: Version, b: Version) => number,
): CompareVersions {
  const read = (text: string): Version | undefined => (text.length > MAX_LENGTH ? undefined : parse(text))
  return (a, b) => {
    const [left, right] = [read(a), read(b)]
    return left === undefined || right === undefined ? undefined : compare(left, right)
  }
}

/** Two runs of digits by value, however long. */
export function compareDigits(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return left.length - right.length || compareText(left, right)
}

/** By UTF-16 code unit, which for ASCII is by byte. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Element by element; where one list is over, `missing` stands in for its elements. */
export function compareLists<T>(
  a: readonly T[],
  b: readonly T[],
  { compare, missing }: { readonly compare: (x: T, y: T) => number; readonly missing: T },
): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = compare(a[index] ?? missing, b[index] ?? missing)
    if (order !== 0) return order
  }
  return 0
}

/** Runs of digits as numbers, missing ones as zero: `1.2` is `1.2.0`. */
export function compareNumbers(a: readonly string[], b: readonly string[]): number {
  return compareLists(a, b, { compare: compareDigits, missing: '0' })
}
