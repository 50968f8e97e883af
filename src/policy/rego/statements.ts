/** Bodies: statements one after the other, each with every way in which it holds. @module */
import { worldOf, type Found, type Frame } from './evaluation.js'
import { match } from './match.js'
import { requiredBy } from './negation.js'
import { isCollection, somePair } from './parts.js'
import type { Action, Override, Plan, Step } from './plan.js'
import { RegoObject, type Value } from './value.js'

export function runBody(body: Plan, frame: Frame, found: Found<[]>): boolean {
  const from = (index: number): boolean => {
    const step = body.steps[index]
    if (step === undefined) return found()
    return frame.world.evaluation.deeper(() => runStep(step, frame, () => from(index + 1)))
  }
  return from(0)
}

function runStep(step: Step, frame: Frame, found: Found<[]>): boolean {
  frame.world.evaluation.spend(1)
  if (step.with.length > 0)
    return overridden(step.with, frame, (inner) => runPlain(step, inner, (): boolean => found()))
  return runPlain(step, frame, found)
}

function runPlain({ action, negated }: Step, frame: Frame, found: Found<[]>): boolean {
  if (!negated) return runAction(action, frame, found)
  if (requiredBy(action).some((node) => frame.world.evaluation.first(node, frame) === undefined)) return false
  return runAction(action, frame, () => true) ? false : found()
}

/** A world of its own, with the slots that are there. */
function overridden(overrides: readonly Override[], frame: Frame, found: Found<[Frame]>): boolean {
  let { input } = frame.world
  for (const { path, value } of overrides) {
    const given = frame.world.evaluation.first(value, frame)
    if (given === undefined) return false
    input = replaced(input, path, given)
  }
  return found({ slots: frame.slots, world: worldOf(input, frame.world.evaluation) })
}

function runAction(action: Action, frame: Frame, found: Found<[]>): boolean {
  switch (action.kind) {
    case 'test':
      return frame.world.evaluation.each(action.node, frame, (value) => value !== false && found())
    case 'unify':
      return frame.world.evaluation.each(action.from, frame, (value) => match(action.to, value, frame, found))
    case 'some':
      return frame.world.evaluation.each(action.domain, frame, (domain) =>
        somePair(domain, (key, value) => {
          frame.world.evaluation.spend(1)
          const matchValue = (): boolean => match(action.value, value, frame, found)
          return action.key === undefined ? matchValue() : match(action.key, key, frame, matchValue)
        }),
      )
    case 'every':
      return holdsForEvery(action, frame) && found()
  }
}

function holdsForEvery({ key, value, domain, body }: Extract<Action, { kind: 'every' }>, frame: Frame): boolean {
  const collection = frame.world.evaluation.first(domain, frame)
  if (collection === undefined || !isCollection(collection)) return false
  const { slots } = frame
  const fails = somePair(collection, (at, of) => {
    frame.world.evaluation.spend(1)
    if (key !== undefined) slots[key] = at
    slots[value] = of
    return !runBody(body, frame, () => true)
  })
  if (key !== undefined) slots[key] = undefined
  slots[value] = undefined
  return !fails
}

function replaced(input: Value | undefined, path: readonly string[], value: Value): Value {
  const [first, ...rest] = path
  if (first === undefined) return value
  const object = input instanceof RegoObject ? input : new RegoObject([])
  return new RegoObject([...object.entries(), [first, replaced(object.get(first), rest, value)]])
}
