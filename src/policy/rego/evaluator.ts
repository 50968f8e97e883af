/** Runs plans: every way to satisfy a body, one after the other. @module */
import type { Surroundings } from './builtins/builtin.js'
import { foundIf, worldOf, type Evaluation, type Found, type Frame, type World } from './evaluation.js'
import { eachBelow } from './match.js'
import type { Node, Plan, Rule } from './plan.js'
import { RegoError } from './rego-error.js'
import { completeValue, comprehensionValue, partialValue } from './rules.js'
import { runBody } from './statements.js'
import { equal, keyOf, kindName, KIND, RegoObject, RegoSet, type Value } from './value.js'
import { weightOf } from './weight.js'

const MAX_DEPTH = 300

export class Evaluator implements Evaluation {
  readonly #around: Surroundings
  #depth = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** The value of a rule. @throws RegoError REGO_CONFLICT or REGO_LIMIT */
  query(rule: Rule, input: Value): Value | undefined {
    return this.#rule(rule, worldOf(input, this))
  }

  #rule(rule: Rule, world: World): Value | undefined {
    if (world.values.has(rule)) return world.values.get(rule)
    const value = this.deeper(() =>
      rule.kind === 'complete' ? completeValue(rule, world, []) : partialValue(rule, world),
    )
    world.values.set(rule, value)
    return value
  }

  #call(rule: Rule, args: readonly Value[], world: World): Value | undefined {
    const calls = world.calls.get(rule) ?? new Map<string, Value | undefined>()
    world.calls.set(rule, calls)
    this.weigh(args)
    const key = keyOf(args)
    if (!calls.has(key))
      calls.set(
        key,
        this.deeper(() => completeValue(rule, world, args)),
      )
    return calls.get(key)
  }

  body(body: Plan, frame: Frame, found: Found<[]>): boolean {
    return runBody(body, frame, found)
  }

  first(node: Node, frame: Frame): Value | undefined {
    let result: Value | undefined
    this.each(node, frame, (value) => {
      result = value
      return true
    })
    return result
  }

  /** Each value of a node, with the slots filled that belong to it. */
  each(node: Node, frame: Frame, found: Found<[Value]>): boolean {
    this.spend(1)
    switch (node.kind) {
      case 'constant':
        return found(node.value)
      case 'slot':
        return foundIf(frame.slots[node.slot], found)
      case 'input':
        return foundIf(frame.world.input, found)
      case 'nothing':
        return false
      case 'rule':
        return foundIf(this.#rule(node.rule, frame.world), found)
      case 'step':
        return this.each(node.of, frame, (of) => eachBelow(of, node.key, frame, found))
      case 'builtin':
        return this.eachOf(node.args, frame, (args) => foundIf(this.#builtin(node, args), found))
      case 'invoke':
        return this.eachOf(node.args, frame, (args) => foundIf(this.#call(node.rule, args, frame.world), found))
      case 'array':
        return this.eachOf(node.items, frame, (items) => found(this.weigh(items)))
      case 'set':
        return this.eachOf(node.items, frame, (items) => found(new RegoSet(this.weigh(items))))
      case 'object':
        return this.eachOf(node.entries.flat(), frame, (items) => found(new RegoObject(inPairs(this.weigh(items)))))
      case 'comprehension':
        return foundIf(comprehensionValue(node, frame), found)
    }
  }

  eachOf(nodes: readonly Node[], frame: Frame, found: Found<[readonly Value[]]>): boolean {
    const from = (index: number, values: readonly Value[]): boolean => {
      const node = nodes[index]
      if (node === undefined) return found(values)
      this.spend(values.length / 8)
      return this.each(node, frame, (value) => from(index + 1, [...values, value]))
    }
    // Long literals are mostly constants; they must not use up the stack.
    const known = nodes.findIndex((node) => node.kind !== 'constant')
    const constants = known === -1 ? nodes : nodes.slice(0, known)
    const values = constants.flatMap((node) => (node.kind === 'constant' ? [node.value] : []))
    return from(values.length, values)
  }

  #builtin({ builtin, line }: Extract<Node, { kind: 'builtin' }>, args: readonly Value[]): Value | undefined {
    if (args.some((arg, index) => ((builtin.args[index] ?? 0) & KIND[kindName(arg)]) === 0)) return undefined
    if (builtin.shallow !== true) this.weigh(args)
    try {
      const value = builtin.run(args, this.#around)
      if (value !== undefined && builtin.shallow !== true) this.spend(weightOf(value) / 16)
      return value
    } catch (error) {
      if (error instanceof RegoError)
        throw new RegoError(error.code, `line ${String(line)}: ${error.message}`, { cause: error })
      throw error
    }
  }

  same(a: Value, b: Value): boolean {
    this.spend(Math.min(weightOf(a), weightOf(b)))
    return equal(a, b)
  }

  spend(steps: number): void {
    this.#around.spend(steps)
  }

  /** Counts values that are about to be gone through. */
  weigh(values: readonly Value[]): readonly Value[] {
    this.spend(weightOf(values) / 4)
    return values
  }

  deeper<T>(run: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new RegoError('REGO_LIMIT', 'rules and statements are nested too deeply')
    const result = run()
    this.#depth--
    return result
  }
}

function inPairs(items: readonly Value[]): readonly (readonly [Value, Value])[] {
  return items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1] ?? null] as const] : []))
}
