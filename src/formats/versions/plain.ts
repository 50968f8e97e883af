/** Orders that know nothing but numbers: Hackage, CRAN. @module */
import { compareDigits, orderOf, type CompareVersions } from './order.js'

function compareNumberLists(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareDigits(a[index] ?? '', b[index] ?? '')
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Haskell's package versioning policy: numbers between dots; of two that agree the longer one is higher. */
export const compareHackage: CompareVersions = orderOf(
  (text) => (/^\d+(?:\.\d+)*$/.test(text) ? text.split('.') : undefined),
  compareNumberLists,
)

/** R's `package_version`: numbers between dots or dashes. */
export const compareCran: CompareVersions = orderOf(
  (text) => (/^\d+(?:[.-]\d+)*$/.test(text) ? text.split(/[.-]/) : undefined),
  compareNumberLists,
)
