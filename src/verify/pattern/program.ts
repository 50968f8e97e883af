/** Patterns compiled to a program. @module */
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

const HOLDS: Readonly<Record<Assertion, (before: number | undefined, after: number | undefined) => boolean>> = {
  'text-start': (before) => before === undefined,
  'text-end': (_, after) => after === undefined,
  'line-start': (before) => before === undefined || before === 0x0a,
  'line-end': (_, after) => after === undefined || after === 0x0a,
  'word-boundary': (before, after) => isWord(before) !== isWord(after),
  'no-word-boundary': (before, after) => isWord(before) === isWord(after),
}

/** Whether an assertion is true of the place between two characters; undefined where the text begins or ends. */
export function holds(assertion: Assertion, before: number | undefined, after: number | undefined): boolean {
  return HOLDS[assertion](before, after)
}
