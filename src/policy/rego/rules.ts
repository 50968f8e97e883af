/** What rules and comprehensions come to: the values that their clauses give, put together. @module */
import type { Found, Frame, World } from './evaluation.js'
import { matchAll } from './match.js'
import type { ComprehensionNode, PlannedClause, Rule } from './plan.js'
import { fault, type RegoError } from './rego-error.js'
import { equal, keyOf, RegoObject, RegoSet, type Value } from './value.js'

export function completeValue(rule: Rule, world: World, args: readonly Value[]): Value | undefined {
  let result: Value | undefined
  for (const chain of rule.chains) {
    const value = chainValue(chain, world, args)
    if (value === undefined) continue
    if (result !== undefined && !equal(result, value)) throw conflict(rule)
    result = value
  }
  return result === undefined ? rule.initial : result
}

function chainValue(chain: readonly PlannedClause[], world: World, args: readonly Value[]): Value | undefined {
  for (const clause of chain) {
    let result: Value | undefined
    runClause(clause, { world, args }, (value) => {
      if (result !== undefined && !equal(result, value)) {
        throw fault('REGO_CONFLICT', clause.line, 'a rule gives different values')
      }
      result = value
      return false
    })
    if (result !== undefined) return result
  }
  return undefined
}

export function partialValue(rule: Rule, world: World): Value {
  const keys: Value[] = []
  const entries = new Map<string, readonly [Value, Value]>()
  for (const clause of rule.chains.flat()) {
    runClause(clause, { world, args: [] }, (value, key) => {
      if (key === undefined) return false
      world.evaluation.weigh([key, value])
      if (rule.kind === 'set') keys.push(key)
      else {
        const there = entries.get(keyOf(key))
        if (there !== undefined && !equal(there[1], value)) throw conflict(rule)
        entries.set(keyOf(key), [key, value])
      }
      return false
    })
  }
  return rule.kind === 'set' ? new RegoSet(keys) : new RegoObject(entries.values())
}

function runClause(
  { args: patterns, body, key, value, slots }: PlannedClause,
  { world, args }: { readonly world: World; readonly args: readonly Value[] },
  found: Found<[Value, Value | undefined]>,
): boolean {
  const frame: Frame = { slots: new Array<Value | undefined>(slots).fill(undefined), world }
  return matchAll(patterns, args, frame, () =>
    world.evaluation.body(body, frame, () =>
      world.evaluation.each(value, frame, (of) =>
        key === undefined ? found(of, undefined) : world.evaluation.each(key, frame, (at) => found(of, at)),
      ),
    ),
  )
}

export function comprehensionValue({ of, key, value, body, line }: ComprehensionNode, frame: Frame): Value {
  const values: Value[] = []
  const entries = new Map<string, readonly [Value, Value]>()
  frame.world.evaluation.body(body, frame, () =>
    frame.world.evaluation.each(value, frame, (item) => {
      frame.world.evaluation.weigh([item])
      if (key === undefined) {
        values.push(item)
        return false
      }
      return frame.world.evaluation.each(key, frame, (at) => {
        frame.world.evaluation.weigh([at])
        const there = entries.get(keyOf(at))
        if (there !== undefined && !equal(there[1], item)) {
          throw fault('REGO_CONFLICT', line, 'a comprehension gives two values for one key')
        }
        entries.set(keyOf(at), [at, item])
        return false
      })
    }),
  )
  return of === 'array' ? values : of === 'set' ? new RegoSet(values) : new RegoObject(entries.values())
}

function conflict({ name, line }: Rule): RegoError {
  return fault('REGO_CONFLICT', line, `${name} has different values`)
}
