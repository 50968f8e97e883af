/** Comprehensions. An element whose part is pending does not keep the others from being asked for. @module */
import type { Loop } from './ast.js'
import { CelError, evaluationError, noSuchOverload } from './cel-error.js'
import { compareValues } from './compare.js'
import type { Frame, Step } from './frame.js'
import { attempt } from './logical.js'
import { CelMap, EntryMap, isList, PENDING, typeNameOf } from './values.js'
import type { CelValue, Outcome } from './values.js'

export interface LoopSteps {
  readonly range: Step
  readonly filter: Step | undefined
  readonly body: Step
}

/** Runs the body for each element, as often as it takes. */
type Each = (visit: (first: Outcome, second: Outcome) => 'on' | 'enough') => void

export function planLoop({ loop, names }: Loop, slots: readonly number[], steps: LoopSteps): Step {
  const [firstSlot = 0, secondSlot] = slots
  const run = RUNNERS[loop]
  return (frame) => {
    frame.budget.spend(1)
    const range = steps.range(frame)
    if (range === PENDING) return PENDING
    const each = eachOf(range, names.length)
    const set = (first: Outcome, second: Outcome): void => {
      frame.budget.spend(1)
      frame.locals[firstSlot] = first
      if (secondSlot !== undefined) frame.locals[secondSlot] = second
    }
    if (loop === 'sortBy' && !isList(range)) throw noSuchOverload('sortBy', [typeNameOf(range)])
    return run({ each, set, frame, steps })
  }
}

/** Elements or keys with one name, pairs with two. */
function eachOf(range: CelValue, names: number): Each {
  return (visit) => {
    if (isList(range)) {
      for (const [index, element] of range.entries()) {
        const go = names === 1 ? visit(element, null) : visit(BigInt(index), element)
        if (go === 'enough') return
      }
    } else if (range instanceof CelMap) {
      for (const key of range.keys()) {
        const go = names === 1 ? visit(key, null) : visit(key, range.get(key) ?? null)
        if (go === 'enough') return
      }
    } else {
      throw evaluationError(`a value of type ${typeNameOf(range)} cannot be range of a comprehension`)
    }
  }
}

interface Running {
  readonly each: Each
  readonly set: (first: Outcome, second: Outcome) => void
  readonly frame: Frame
  readonly steps: LoopSteps
}

const RUNNERS: Readonly<Record<Loop['loop'], (running: Running) => Outcome>> = {
  all: (running) => quantified(running, false),
  exists: (running) => quantified(running, true),
  existsOne: exactlyOne,
  map: mapped,
  filter: filtered,
  transformList: mapped,
  transformMap: (running) => intoMap(running, (key, value, add) => void add(key, value)),
  transformMapEntry: (running) => intoMap(running, addEntries),
  sortBy: sorted,
}

/** One element may decide, whatever errors the others have. */
function quantified({ each, set, frame, steps: { body } }: Running, decisive: boolean): Outcome {
  const outcomes = new Set<'decided' | 'pending'>()
  const failures: CelError[] = []
  each((first, second) => {
    set(first, second)
    const outcome = attempt(() => body(frame))
    if (outcome === decisive) {
      outcomes.add('decided')
      return 'enough'
    }
    if (outcome === PENDING) outcomes.add('pending')
    else if (outcome instanceof CelError) failures.push(outcome)
    else if (typeof outcome !== 'boolean')
      failures.push(noSuchOverload(decisive ? '_||_' : '_&&_', [typeNameOf(outcome)]))
    return 'on'
  })
  if (outcomes.has('decided')) return decisive
  if (outcomes.has('pending')) return PENDING
  const [failure] = failures
  if (failure !== undefined) throw failure
  return !decisive
}

/** What the body says of each element that the filter lets through; what is pending is told apart. */
function collect(running: Running, take: (value: CelValue, first: Outcome) => unknown): 'complete' | typeof PENDING {
  const { each, set, frame, steps } = running
  const outcomes = new Set<typeof PENDING>()
  each((first, second) => {
    set(first, second)
    const chosen = steps.filter === undefined ? true : steps.filter(frame)
    if (chosen === false) return 'on'
    const value = chosen === true ? steps.body(frame) : chosen
    if (chosen !== true && chosen !== PENDING) throw noSuchOverload('_?_:_', [typeNameOf(chosen)])
    if (value === PENDING) outcomes.add(PENDING)
    else take(value, first)
    return 'on'
  })
  return outcomes.has(PENDING) ? PENDING : 'complete'
}

function exactlyOne(running: Running): Outcome {
  let count = 0
  const state = collect(running, (value) => {
    if (typeof value !== 'boolean') throw noSuchOverload('_?_:_', [typeNameOf(value)])
    if (value) count++
  })
  return state === PENDING ? PENDING : count === 1
}

function mapped(running: Running): Outcome {
  const values: CelValue[] = []
  const state = collect(running, (value) => values.push(value))
  return state === PENDING ? PENDING : values
}

function filtered(running: Running): Outcome {
  const values: CelValue[] = []
  const state = collect(running, (value, element) => {
    if (typeof value !== 'boolean') throw noSuchOverload('_?_:_', [typeNameOf(value)])
    if (value && element !== PENDING) values.push(element)
  })
  return state === PENDING ? PENDING : values
}

function intoMap(
  running: Running,
  insert: (key: CelValue, value: CelValue, add: (key: CelValue, value: CelValue) => unknown) => void,
): Outcome {
  const entries: (readonly [CelValue, CelValue])[] = []
  const state = collect(running, (value, key) => {
    if (key !== PENDING) insert(key, value, (newKey, newValue) => entries.push([newKey, newValue]))
  })
  if (state === PENDING) return PENDING
  const map = new EntryMap(entries)
  if (map.size < entries.length) throw evaluationError('insert failed: a key is there already')
  return map
}

function addEntries(_key: CelValue, value: CelValue, add: (key: CelValue, value: CelValue) => unknown): void {
  if (!(value instanceof CelMap)) throw noSuchOverload('transformMapEntry', [typeNameOf(value)])
  for (const key of value.keys()) {
    const entry = value.get(key)
    if (entry !== undefined && entry !== PENDING) add(key, entry)
  }
}

function sorted(running: Running): Outcome {
  const { budget } = running.frame
  const pairs: { readonly key: CelValue; readonly element: CelValue }[] = []
  const state = collect(running, (key, element) => {
    if (element !== PENDING) pairs.push({ key, element })
  })
  if (state === PENDING) return PENDING
  return sortByKeys(pairs, (a, b) => compareValues(a, b, budget) ?? 0)
}

/**
 * Elements in the order of their keys, which are all of one type.
 * @throws CelError `CEL_EVALUATION`
 */
export function sortByKeys(
  pairs: readonly { readonly key: CelValue; readonly element: CelValue }[],
  compare: (a: CelValue, b: CelValue) => number,
): readonly CelValue[] {
  const [first] = pairs
  if (first === undefined) return []
  const type = typeNameOf(first.key)
  if (pairs.some(({ key }) => typeNameOf(key) !== type)) throw evaluationError('list elements must have the same type')
  return [...pairs].sort((a, b) => compare(a.key, b.key)).map(({ element }) => element)
}
