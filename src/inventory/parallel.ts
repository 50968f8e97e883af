/** Many things at once, but not all. @module */

/** Registries throttle whoever asks more at once; more would not be faster either. */
const AT_ONCE = 12

/** Does the work for each, some at a time, and keeps the order. The first error ends it. */
export async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T) // within the list, by the line above
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  return results
}
