/**
 * Patterns compiled to a program and run as a set of threads in step (Thompson, Pike): the time is linear in the text,
 * whatever the pattern, so a value that an attacker chose cannot make a verifier hang.
 *
 * @module
 */
import { VerificationError } from '../errors.js'
import { isWord } from './characters.js'
import type { CharacterSet } from './characters.js'
import type { Assertion, Node } from './syntax.js'

/** A step of a program. */
export type Instruction =
  | { readonly op: 'consume'; readonly set: CharacterSet }
  | { readonly op: 'assert'; readonly assertion: Assertion }
  /** Both ways, `next` first; `also` is set once its target is known. */
  | { readonly op: 'fork'; next: number; also: number }
  | { readonly op: 'jump'; next: number }
  /** A group starts or ends here: slots 2n and 2n+1 are those of group n. */
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'accept' }

/** A compiled pattern. */
export type Program = readonly Instruction[]

/** Counted repetitions are written out, so a small pattern can ask for a large program. */
const MAX_STEPS = 20_000

/**
 * Compiles a parsed pattern.
 * @throws {@link VerificationError} `VERIFY_PATTERN` if it repeats too much.
 */
export function compileProgram(node: Node): Program {
  const build: Build = { program: [], steps: 0 }
  emit(build, node)
  build.program.push({ op: 'accept' })
  return build.program
}

interface Build {
  readonly program: Instruction[]
  /** Counted apart from the program: `(){1000}` emits nothing a thousand times. */
  steps: number
}

function emit(build: Build, node: Node): void {
  const { program } = build
  if (++build.steps > MAX_STEPS) {
    throw new VerificationError('VERIFY_PATTERN', 'the pattern repeats too much to be used', {
      expected: `at most ${String(MAX_STEPS)} steps after counted repetitions are written out`,
      hint: 'use * or + instead of a large {n,m}',
    })
  }
  if (node.kind === 'set') program.push({ op: 'consume', set: node.set })
  else if (node.kind === 'assert') program.push({ op: 'assert', assertion: node.assertion })
  else if (node.kind === 'sequence') for (const part of node.nodes) emit(build, part)
  else if (node.kind === 'either') emitEither(build, node.nodes)
  else if (node.kind === 'group') {
    program.push({ op: 'save', slot: node.index * 2 })
    emit(build, node.node)
    program.push({ op: 'save', slot: node.index * 2 + 1 })
  } else emitRepeat(build, node)
}

function emitEither(build: Build, nodes: readonly Node[]): void {
  const { program } = build
  const ends: { next: number }[] = []
  nodes.forEach((node, index) => {
    if (index === nodes.length - 1) {
      emit(build, node)
      return
    }
    const fork = { op: 'fork' as const, next: program.length + 1, also: 0 }
    program.push(fork)
    emit(build, node)
    const end = { op: 'jump' as const, next: 0 }
    program.push(end)
    ends.push(end)
    fork.also = program.length
  })
  for (const end of ends) end.next = program.length
}

function emitRepeat(build: Build, { node, min, max, lazy }: Extract<Node, { kind: 'repeat' }>): void {
  const { program } = build
  // As in RE2, one time less here is one time at least there: an empty time must not keep a loop from ending.
  const looped = max === Infinity && (min > 0 || isNullable(node))
  for (let time = looped ? 1 : 0; time < min; time++) emit(build, node)
  if (looped) {
    const skip = min === 0 ? pushFork(program, lazy) : undefined
    const start = program.length
    emit(build, node)
    const fork = pushFork(program, lazy)
    fork.enter(start)
    fork.leave(program.length)
    skip?.leave(program.length)
    return
  }
  if (max === Infinity) {
    const start = program.length
    const fork = pushFork(program, lazy)
    emit(build, node)
    program.push({ op: 'jump', next: start })
    fork.leave(program.length)
    return
  }
  const forks: Fork[] = []
  for (let time = min; time < max; time++) {
    forks.push(pushFork(program, lazy))
    emit(build, node)
  }
  for (const fork of forks) fork.leave(program.length)
}

interface Fork {
  /** Where one more time starts; without it, right behind the fork. */
  enter(target: number): void
  leave(target: number): void
}

/** Once more or on: which is tried first depends on whether the repetition is lazy. */
function pushFork(program: Instruction[], lazy: boolean): Fork {
  const inside = program.length + 1
  const fork = { op: 'fork' as const, next: lazy ? 0 : inside, also: lazy ? inside : 0 }
  program.push(fork)
  return {
    enter: (target) => {
      if (lazy) fork.also = target
      else fork.next = target
    },
    leave: (target) => {
      if (lazy) fork.next = target
      else fork.also = target
    },
  }
}

/** Whether it can match nothing at all. */
function isNullable(node: Node): boolean {
  if (node.kind === 'set') return false
  if (node.kind === 'assert') return true
  if (node.kind === 'sequence') return node.nodes.every(isNullable)
  if (node.kind === 'either') return node.nodes.some(isNullable)
  return (node.kind === 'repeat' && node.min === 0) || isNullable(node.node)
}

/** How much of the text a match has to cover. */
export type Extent = 'whole' | 'part'

/** Whether the program matches the text as a whole, or some part of it. */
export function runProgram(program: Program, text: string, extent: Extent): boolean {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  let threads = new Threads(program.length)
  let following = new Threads(program.length)
  for (let at = 0; at <= points.length; at++) {
    if (at === 0 || extent === 'part') follow(threads, 0, { program, points, at })
    // What does not begin as it must is most of what is ever compared.
    if (threads.list().length === 0 && extent === 'whole') return false
    const point = points[at]
    for (const index of threads.list()) {
      const instruction = program[index]
      if (instruction?.op === 'accept' && (extent === 'part' || point === undefined)) return true
      if (instruction?.op === 'consume' && point !== undefined && instruction.set.has(point)) {
        follow(following, index + 1, { program, points, at: at + 1 })
      }
    }
    ;[threads, following] = [following, threads]
    following.clear()
  }
  return false
}

/** A place in a text. */
export interface Place {
  readonly program: Program
  readonly points: readonly number[]
  readonly at: number
}

/** Adds a thread and everything that it reaches without consuming a character. */
function follow(threads: Threads, start: number, place: Place): void {
  const { op } = place.program[start] ?? { op: 'accept' }
  if (op === 'consume' || op === 'accept') {
    threads.add(start)
    return
  }
  const pending = [start]
  for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
    if (!threads.add(index)) continue
    const instruction = place.program[index]
    if (instruction?.op === 'jump') pending.push(instruction.next)
    else if (instruction?.op === 'fork') pending.push(instruction.also, instruction.next)
    else if (instruction?.op === 'save') pending.push(index + 1)
    else if (instruction?.op === 'assert' && holds(instruction.assertion, place)) pending.push(index + 1)
  }
}

const HOLDS: Readonly<Record<Assertion, (before: number | undefined, after: number | undefined) => boolean>> = {
  'text-start': (before) => before === undefined,
  'text-end': (_, after) => after === undefined,
  'line-start': (before) => before === undefined || before === 0x0a,
  'line-end': (_, after) => after === undefined || after === 0x0a,
  'word-boundary': (before, after) => isWord(before) !== isWord(after),
  'no-word-boundary': (before, after) => isWord(before) === isWord(after),
}

/** Whether an assertion is true of a place. */
export function holds(assertion: Assertion, { points, at }: Place): boolean {
  return HOLDS[assertion](points[at - 1], points[at])
}

/** A set of instruction indexes in order of arrival. */
class Threads {
  readonly #member: Uint8Array
  readonly #list: number[] = []

  constructor(size: number) {
    this.#member = new Uint8Array(size)
  }

  add(index: number): boolean {
    if (this.#member[index] === 1) return false
    this.#member[index] = 1
    this.#list.push(index)
    return true
  }

  list(): readonly number[] {
    return this.#list
  }

  clear(): void {
    for (const index of this.#list) this.#member[index] = 0
    this.#list.length = 0
  }
}
