/** The time that a command may take. @module */
import { CliError } from './errors.js'
import type { Host } from './host.js'

/** The most that a timer takes, 24 days: more is no limit for a command that ends. */
const LONGEST = 2 ** 31 - 1

export interface Deadline {
  /** Aborted when the time is up or the user interrupts. */
  readonly signal: AbortSignal
  /** Fails with {@link CliError} `CLI_TIMEOUT` when the time is up. */
  readonly passed: Promise<never>
  readonly cancel: () => void
}

/** Begins to count. It does not keep the process alive. */
export function startDeadline(millis: number, { interrupted, waitingFor }: Host): Deadline {
  const controller = new AbortController()
  const interrupt = (): void => {
    controller.abort(interrupted.reason)
  }
  if (interrupted.aborted) interrupt()
  interrupted.addEventListener('abort', interrupt, { once: true })
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_, reject) => {
    const end = (): void => {
      const error = expired(waitingFor())
      reject(error)
      controller.abort(error)
    }
    timer = setTimeout(end, Math.min(Math.max(0, Math.ceil(millis)), LONGEST)).unref()
  })
  passed.catch(() => undefined) // raced, or never looked at again
  return {
    signal: controller.signal,
    passed,
    cancel: () => {
      clearTimeout(timer)
      interrupted.removeEventListener('abort', interrupt)
    },
  }
}

function expired([first, ...others]: readonly string[]): CliError {
  const more = others.length === 0 ? '' : `, and ${String(others.length)} more`
  return new CliError('CLI_TIMEOUT', 'context deadline exceeded', {
    found: first === undefined ? undefined : `no answer yet to ${first}${more}`,
    hint: 'allow more time with --timeout',
  })
}
