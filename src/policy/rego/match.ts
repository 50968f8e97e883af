/** Taking values apart by patterns, and looking below them. @module */
import { foundIf, type Found, type Frame } from './evaluation.js'
import { member, somePair } from './parts.js'
import type { Node } from './plan.js'
import { isArray, RegoObject, RegoSet, type Value } from './value.js'

export function eachBelow(of: Value, key: Node, frame: Frame, found: Found<[Value]>): boolean {
  const isOpen =
    key.kind === 'slot' ? frame.slots[key.slot] === undefined : key.kind === 'array' || key.kind === 'object'
  if (!isOpen)
    return frame.world.evaluation.each(key, frame, (at) =>
      foundIf(member(of, frame.world.evaluation.weigh([at])[0]), found),
    )
  return somePair(of, (at, value) => {
    frame.world.evaluation.spend(1)
    return match(key, of instanceof RegoSet ? value : at, frame, () => found(value))
  })
}

/** Takes a value apart by a pattern: empty slots are filled, and emptied again afterwards. */
export function match(pattern: Node, value: Value, frame: Frame, found: Found<[]>): boolean {
  frame.world.evaluation.spend(1)
  if (pattern.kind === 'slot') {
    const there = frame.slots[pattern.slot]
    if (there !== undefined) return frame.world.evaluation.same(there, value) && found()
    frame.slots[pattern.slot] = value
    const enough = found()
    frame.slots[pattern.slot] = undefined
    return enough
  }
  if (pattern.kind === 'array') {
    return isArray(value) && value.length === pattern.items.length && matchAll(pattern.items, value, frame, found)
  }
  if (pattern.kind === 'object') return matchObject(pattern.entries, value, frame, found)
  return frame.world.evaluation.each(pattern, frame, (own) => frame.world.evaluation.same(own, value) && found())
}

export function matchAll(patterns: readonly Node[], values: readonly Value[], frame: Frame, found: Found<[]>): boolean {
  const from = (index: number): boolean => {
    const pattern = patterns[index]
    const value = values[index]
    if (pattern === undefined || value === undefined) return found()
    return match(pattern, value, frame, () => from(index + 1))
  }
  return from(0)
}

function matchObject(
  entries: readonly (readonly [Node, Node])[],
  value: Value,
  frame: Frame,
  found: Found<[]>,
): boolean {
  if (!(value instanceof RegoObject)) return false
  const keys = entries.map(([key]) => key)
  return frame.world.evaluation.eachOf(keys, frame, (names) => {
    if (new RegoSet(names).size !== value.size) return false
    const values = present(names.map((name) => value.get(name)))
    if (values.length < names.length) return false
    return matchAll(
      entries.map(([, of]) => of),
      values,
      frame,
      found,
    )
  })
}

function present(values: readonly (Value | undefined)[]): readonly Value[] {
  return values.filter((value) => value !== undefined)
}
