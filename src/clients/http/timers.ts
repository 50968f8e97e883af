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

/** What an aborted request throws, with the abort's own reason as the cause. */
export function aborted(signal: AbortSignal | undefined, host?: string): HttpError {
  const where = host === undefined ? '' : ` to ${host}`
  return new HttpError('HTTP_ABORTED', `the request${where} was called off`, { cause: signal?.reason })
}
