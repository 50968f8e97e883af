/** Work on each of a list. @module */

/** All at once, in the order of the list. One alone, as most are, is not wrapped any further. */
export async function sideBySide<T, R>(list: readonly T[], work: (each: T) => Promise<R>): Promise<readonly R[]> {
  const [only] = list
  return list.length === 1 ? [await work(only as T)] : await Promise.all(list.map(work))
}
