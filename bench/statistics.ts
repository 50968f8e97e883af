/** What many measurements come to. @module */

/** `part` of the values, which are in order, are not above it. */
export function quantile(ordered: readonly number[], part: number): number {
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * part))] ?? NaN
}

/** A copy, the least first. */
export function inOrder(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}

/** The middle one; of an even number of values the upper of the two. */
export function median(values: readonly number[]): number {
  return quantile(inOrder(values), 0.5)
}
