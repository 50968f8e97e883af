/**
 * Where a pattern occurs in a text and what its groups found, as Perl would have it (the leftmost, and of those the one that is
 * tried first), in time that is linear in the text (Pike).
 *
 * @module
 */
import { holds } from './program.js'
import type { Program } from './program.js'

/** Positions of groups, by slot: 2n and 2n+1 are where group n starts and ends. */
export type Slots = readonly (number | undefined)[]

export interface Found {
  readonly slots: Slots
  /** How many characters were looked at. */
  readonly scanned: number
}

interface Thread {
  readonly index: number
  readonly slots: Slots
}

/** The first occurrence from a position on. */
export function searchProgram(program: Program, points: readonly number[], from: number): Found | undefined {
  let threads: readonly Thread[] = []
  let found: Slots | undefined
  let at = from
  for (; at <= points.length; at++) {
    const queue = new Queue(program, points, at)
    for (const { index, slots } of threads) queue.follow(index, slots)
    // A match that starts later is only worth looking for while there is none.
    if (found === undefined) queue.follow(0, [at])
    if (found !== undefined && queue.threads.length === 0) break
    const following: Thread[] = []
    for (const { index, slots } of queue.threads) {
      const instruction = program[index]
      if (instruction?.op === 'accept') {
        found = withSlot(slots, 1, at)
        break
      }
      const point = points[at]
      if (instruction?.op === 'consume' && point !== undefined && instruction.set.has(point))
        following.push({ index: index + 1, slots })
    }
    threads = following
  }
  return found === undefined ? undefined : { slots: found, scanned: at - from }
}

/** The threads of one position, in the order in which they are tried. */
class Queue {
  readonly threads: Thread[] = []
  readonly #program: Program
  readonly #points: readonly number[]
  readonly #at: number
  readonly #seen: Uint8Array

  constructor(program: Program, points: readonly number[], at: number) {
    this.#program = program
    this.#points = points
    this.#at = at
    this.#seen = new Uint8Array(program.length)
  }

  /** Adds a thread and everything that it reaches without consuming a character. */
  follow(start: number, slots: Slots): void {
    const pending: Thread[] = [{ index: start, slots }]
    for (let thread = pending.pop(); thread !== undefined; thread = pending.pop()) {
      const { index } = thread
      if (this.#seen[index] === 1) continue
      this.#seen[index] = 1
      this.#step(thread, pending)
    }
  }

  #step({ index, slots }: Thread, pending: Thread[]): void {
    const instruction = this.#program[index]
    if (instruction === undefined) return
    const [before, after] = [this.#points[this.#at - 1], this.#points[this.#at]]
    if (instruction.op === 'jump') pending.push({ index: instruction.next, slots })
    else if (instruction.op === 'fork')
      pending.push({ index: instruction.also, slots }, { index: instruction.next, slots })
    else if (instruction.op === 'save')
      pending.push({ index: index + 1, slots: withSlot(slots, instruction.slot, this.#at) })
    else if (instruction.op !== 'assert') this.threads.push({ index, slots })
    else if (holds(instruction.assertion, before, after)) pending.push({ index: index + 1, slots })
  }
}

function withSlot(slots: Slots, slot: number, at: number): Slots {
  const copy = [...slots]
  copy[slot] = at
  return copy
}
