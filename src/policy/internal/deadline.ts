/** The end of a review, which most reviews do not come to. @module */

/** Until when a review may go on. */
export interface Deadline {
  /** Nobody waits any longer. */
  readonly over: boolean
  /**
   * Fires when it is over. Made when it is first asked for, and only what waits for others should ask: on Node 20 a signal stays in
   * memory until the next full collection, whatever became of its request.
   */
  readonly signal: AbortSignal
}

/** The deadline that a signal tells of. */
export function deadlineOf(signal: AbortSignal): Deadline {
  return new SignalDeadline(signal)
}

/** A class: objects with accessors of their own are slow to make. */
class SignalDeadline implements Deadline {
  readonly signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  get over(): boolean {
    return this.signal.aborted
  }
}
