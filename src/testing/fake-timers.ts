/** Timers that a test moves by hand. @module */
import type { Timers } from '#clients/http/fetch'

/** A clock and timers that stand still until `advance`. */
export interface FakeTimers {
  readonly timers: Timers
  readonly clock: () => number
  /** Milliseconds of every timer that was started, in order. */
  readonly started: readonly number[]
  /** Moves time on and runs what is due, letting promises settle before and after. */
  advance(milliseconds: number): Promise<void>
  /** Runs timers as they are started, as if time flew. */
  autoAdvance(): void
}

interface Pending {
  readonly due: number
  readonly run: () => void
}

export function fakeTimers(start: number = Date.UTC(2026, 0, 1)): FakeTimers {
  let now = start
  let automatic = false
  const started: number[] = []
  const pending = new Set<Pending>()
  const runDue = (): void => {
    for (const timer of [...pending].sort((a, b) => a.due - b.due)) {
      if (timer.due > now || !pending.delete(timer)) continue
      timer.run()
    }
  }
  return {
    clock: () => now,
    started,
    timers: {
      after: (milliseconds, run) => {
        const timer = { due: now + milliseconds, run }
        pending.add(timer)
        started.push(milliseconds)
        if (automatic) {
          queueMicrotask(() => {
            if (!pending.delete(timer)) return
            now = Math.max(now, timer.due)
            run()
          })
        }
        return () => {
          pending.delete(timer)
        }
      },
    },
    advance: async (milliseconds) => {
      await settle()
      now += milliseconds
      runDue()
      await settle()
    },
    autoAdvance: () => {
      automatic = true
    },
  }
}

/** Lets everything that is ready to go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
