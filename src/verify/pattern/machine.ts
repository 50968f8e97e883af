/**
 * A program run as a set of threads in step (Thompson, Pike): the time is linear in the text, whatever the pattern, so a value that
 * an attacker chose cannot make a verifier hang.
 *
 * @module
 */
import { holds } from './program.js'
import type { Program } from './program.js'

/** How much of the text a match has to cover. */
export type Extent = 'whole' | 'part'

/** Runs one program; a match allocates nothing. */
export class Machine {
  readonly #program: Program
  /** What every text that matches as a whole begins with, and where the program goes on behind it. */
  readonly #beginning: { readonly text: string; readonly next: number }
  #threads = NO_THREADS
  #following = NO_THREADS

  constructor(program: Program) {
    this.#program = program
    this.#beginning = beginningOf(program)
  }

  /** Whether the program matches the text as a whole, or some part of it. */
  matches(text: string, extent: Extent): boolean {
    ;[this.#threads, this.#following] = emptyThreads(this.#program.length)
    if (extent === 'part') return this.#isPart(text)
    // What does not begin as it must is most of what is ever compared.
    const { text: beginning, next } = this.#beginning
    return text.startsWith(beginning) && this.#isWhole(text, beginning.length, next)
  }

  #isWhole(text: string, from: number, start: number): boolean {
    let at = from
    let point = text.codePointAt(at)
    this.#follow(this.#threads, start, from === 0 ? undefined : text.charCodeAt(from - 1), point)
    while (this.#threads.size > 0) {
      if (point === undefined) return this.#threads.has(this.#program.length - 1)
      at += widthOf(point)
      const after = text.codePointAt(at)
      this.#consume(point, after)
      point = after
    }
    return false
  }

  #isPart(text: string): boolean {
    let at = 0
    let before: number | undefined
    for (;;) {
      const point = text.codePointAt(at)
      this.#follow(this.#threads, 0, before, point)
      if (this.#threads.has(this.#program.length - 1)) return true
      if (point === undefined) return false
      at += widthOf(point)
      this.#consume(point, text.codePointAt(at))
      before = point
    }
  }

  /** One character on, with all threads. */
  #consume(point: number, after: number | undefined): void {
    const threads = this.#threads
    for (let each = 0; each < threads.size; each++) {
      const index = threads.at(each)
      const instruction = this.#program[index]
      if (instruction?.op === 'consume' && instruction.set.has(point))
        this.#follow(this.#following, index + 1, point, after)
    }
    threads.clear()
    this.#threads = this.#following
    this.#following = threads
  }

  /** Adds a thread and everything that it reaches without consuming a character. */
  #follow(threads: Threads, start: number, before: number | undefined, after: number | undefined): void {
    PENDING.push(start)
    for (let index = PENDING.pop(); index !== undefined; index = PENDING.pop()) {
      if (!threads.add(index)) continue
      const instruction = this.#program[index]
      if (instruction?.op === 'jump') PENDING.push(instruction.next)
      else if (instruction?.op === 'fork') PENDING.push(instruction.also, instruction.next)
      else if (instruction?.op === 'save') PENDING.push(index + 1)
      else if (instruction?.op === 'assert' && holds(instruction.assertion, before, after)) PENDING.push(index + 1)
    }
  }
}

/** Characters beyond the first 65,536 take two units of a text. */
function widthOf(point: number): number {
  return point > 0xffff ? 2 : 1
}

/** Nothing leads into the middle of it that did not go through it, for a program is entered at its first step. */
function beginningOf(program: Program): { readonly text: string; readonly next: number } {
  let text = ''
  let next = 0
  for (const instruction of program) {
    const point = instruction.op === 'consume' ? instruction.set.single : undefined
    // Half of a pair could be completed by what follows it in a text.
    if (point === undefined || (point >= 0xd800 && point <= 0xdfff)) break
    text += String.fromCodePoint(point)
    next++
  }
  return { text, next }
}

/** A set of instruction indexes in order of arrival. */
class Threads {
  readonly length: number
  readonly #member: Uint8Array
  readonly #list: Uint32Array
  size = 0

  /** @param length of the longest program that runs in it */
  constructor(length: number) {
    this.length = length
    this.#member = new Uint8Array(length)
    this.#list = new Uint32Array(length)
  }

  add(index: number): boolean {
    if (this.#member[index] === 1) return false
    this.#member[index] = 1
    this.#list[this.size++] = index
    return true
  }

  has(index: number): boolean {
    return this.#member[index] === 1
  }

  at(position: number): number {
    return this.#list[position] ?? 0
  }

  clear(): void {
    for (let each = 0; each < this.size; each++) this.#member[this.at(each)] = 0
    this.size = 0
  }
}

const NO_THREADS = new Threads(0)
const PENDING: number[] = []
let threads: readonly [Threads, Threads] = [NO_THREADS, NO_THREADS]

/** The same two for all programs, one of which runs at a time. */
function emptyThreads(length: number): readonly [Threads, Threads] {
  if (threads[0].length < length) threads = [new Threads(length), new Threads(length)]
  for (const each of threads) each.clear()
  return threads
}
