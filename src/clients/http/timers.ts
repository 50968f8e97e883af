/** The process's timers, and waiting that can be called off. @module */
import type { Timers } from './fetch.js'
import { HttpError } from './http-error.js'

/** The real timers. */
export const systemTimers: Timers = {
  after(milliseconds: number, run: () => void): () => void {
    const handle = setTimeout(run, milliseconds)
    return () => {
      clearTimeout(handle)
    }
  },
}

/**
 * Waits `milliseconds`.
 * @throws {@link HttpError} HTTP_ABORTED as soon as the signal fires.
 */
export async function wait(timers: Timers, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) throw aborted(signal)
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(aborted(signal))
    }
    const cancel = timers.after(milliseconds, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Something that runs again and again, each time a pause after the last one has ended. What is run handles its own failures. */
export class Repetition {
  readonly #timers: Timers
  readonly #pause: () => number
  readonly #run: () => Promise<void>
  #cancel: () => void = () => undefined
  #stopped = false

  constructor(timers: Timers, pause: () => number, run: () => Promise<void>) {
    this.#timers = timers
    this.#pause = pause
    this.#run = run
  }

  /** Runs a pause from now for the first time. Once it was stopped it does not begin any more. */
  start(): void {
    if (this.#stopped) return
    this.#cancel = this.#timers.after(this.#pause(), () => {
      void this.#run().then(() => {
        this.start()
      })
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }
}

/** What an aborted request throws, with the abort's own reason as the cause. */
export function aborted(signal: AbortSignal | undefined, host?: string): HttpError {
  const where = host === undefined ? '' : ` to ${host}`
  return new HttpError('HTTP_ABORTED', `the request${where} was called off`, { cause: signal?.reason })
}
