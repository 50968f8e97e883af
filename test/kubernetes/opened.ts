/** What a test has opened: closed again in reverse order, also when something failed in between. @module */

interface Stoppable {
  stop(): Promise<void>
}

export class Opened {
  readonly #open: Stoppable[] = []

  add<T extends Stoppable>(opened: T): T {
    this.#open.push(opened)
    return opened
  }

  async stop(): Promise<void> {
    for (const each of this.#open.splice(0).reverse()) await each.stop()
  }
}
