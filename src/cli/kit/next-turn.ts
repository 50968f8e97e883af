/** Letting what was begun get on its way. @module */

/** Resolves when the event loop has gone round once: connections that are there at once are open then, and written to. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
