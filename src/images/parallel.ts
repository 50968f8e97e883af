/** Many things at once, but not all; and when one fails, none is left running. @module */

/** One of the things to do. The signal fires when another one has failed, so that this one need not be finished. */
export type Task<T, R> = (item: T, signal: AbortSignal) => Promise<R>

/** Does the work for each, at most `atOnce` at a time, and keeps the order. The first error is thrown once all has come to rest. */
export async function inParallel<T, R>(items: readonly T[], atOnce: number, work: Task<T, R>): Promise<readonly R[]> {
  const results = new Array<R>(items.length)
  const failures: unknown[] = []
  const controller = new AbortController()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++
      try {
        results[index] = await work(items[index] as T, controller.signal) // within the list, by the line above
      } catch (error) {
        failures.push(error)
        controller.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}

/** The pieces until the signal fires, whose reason is then thrown. */
export async function* untilAborted(
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    signal.throwIfAborted()
    yield piece
  }
}
