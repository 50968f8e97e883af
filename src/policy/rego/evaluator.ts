/** Runs plans: every way to satisfy a body, one after the other. @module */
import type { Surroundings } from './builtins/builtin.js'
import { requiredBy } from './negation.js'
import type { Action, ComprehensionNode, Node, Override, Plan, PlannedClause, Rule, Step } from './plan.js'
import { fault, RegoError } from './rego-error.js'
import { equal, isArray, keyOf, kindName, KIND, RegoObject, RegoSet, type Value } from './value.js'
import { weightOf } from './weight.js'

/** What is known during a query under one input. */
interface World {
  readonly input: Value | undefined
  readonly values: Map<Rule, Value | undefined>
  readonly calls: Map<Rule, Map<string, Value | undefined>>
}

/** The slots of a clause that is being run. */
interface Frame {
  readonly slots: (Value | undefined)[]
  readonly world: World
}

/** Is told each value or way; says whether that was enough. */
type Found<T extends unknown[]> = (...found: T) => boolean

const MAX_DEPTH = 300

export class Evaluator {
  readonly #around: Surroundings
  #depth = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** The value of a rule. @throws RegoError REGO_CONFLICT or REGO_LIMIT */
  query(rule: Rule, input: Value): Value | undefined {
    return this.#rule(rule, worldOf(input))
  }

  #rule(rule: Rule, world: World): Value | undefined {
    if (world.values.has(rule)) return world.values.get(rule)
    const value = this.#deeper(() =>
      rule.kind === 'complete' ? this.#complete(rule, world, []) : this.#partial(rule, world),
    )
    world.values.set(rule, value)
    return value
  }

  #call(rule: Rule, args: readonly Value[], world: World): Value | undefined {
    const calls = world.calls.get(rule) ?? new Map<string, Value | undefined>()
    world.calls.set(rule, calls)
    this.#weigh(args)
    const key = keyOf(args)
    if (!calls.has(key))
      calls.set(
        key,
        this.#deeper(() => this.#complete(rule, world, args)),
      )
    return calls.get(key)
  }

  #complete(rule: Rule, world: World, args: readonly Value[]): Value | undefined {
    let result: Value | undefined
    for (const chain of rule.chains) {
      const value = this.#chain(chain, world, args)
      if (value === undefined) continue
      if (result !== undefined && !equal(result, value)) throw conflict(rule)
      result = value
    }
    return result === undefined ? rule.initial : result
  }

  #chain(chain: readonly PlannedClause[], world: World, args: readonly Value[]): Value | undefined {
    for (const clause of chain) {
      let result: Value | undefined
      this.#clause(clause, { world, args }, (value) => {
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

  #partial(rule: Rule, world: World): Value {
    const keys: Value[] = []
    const entries = new Map<string, readonly [Value, Value]>()
    for (const clause of rule.chains.flat()) {
      this.#clause(clause, { world, args: [] }, (value, key) => {
        if (key === undefined) return false
        this.#weigh([key, value])
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

  #clause(
    { args: patterns, body, key, value, slots }: PlannedClause,
    { world, args }: { readonly world: World; readonly args: readonly Value[] },
    found: Found<[Value, Value | undefined]>,
  ): boolean {
    const frame: Frame = { slots: new Array<Value | undefined>(slots).fill(undefined), world }
    return this.#matchAll(patterns, args, frame, () =>
      this.#body(body, frame, () =>
        this.#each(value, frame, (of) =>
          key === undefined ? found(of, undefined) : this.#each(key, frame, (at) => found(of, at)),
        ),
      ),
    )
  }

  #body(body: Plan, frame: Frame, found: Found<[]>): boolean {
    const from = (index: number): boolean => {
      const step = body.steps[index]
      if (step === undefined) return found()
      return this.#deeper(() => this.#step(step, frame, () => from(index + 1)))
    }
    return from(0)
  }

  #step(step: Step, frame: Frame, found: Found<[]>): boolean {
    this.#around.spend(1)
    if (step.with.length > 0)
      return this.#overridden(step.with, frame, (inner) => this.#plain(step, inner, (): boolean => found()))
    return this.#plain(step, frame, found)
  }

  #plain({ action, negated }: Step, frame: Frame, found: Found<[]>): boolean {
    if (!negated) return this.#action(action, frame, found)
    if (requiredBy(action).some((node) => this.#first(node, frame) === undefined)) return false
    return this.#action(action, frame, () => true) ? false : found()
  }

  /** A world of its own, with the slots that are there. */
  #overridden(overrides: readonly Override[], frame: Frame, found: Found<[Frame]>): boolean {
    let { input } = frame.world
    for (const { path, value } of overrides) {
      const given = this.#first(value, frame)
      if (given === undefined) return false
      input = replaced(input, path, given)
    }
    return found({ slots: frame.slots, world: worldOf(input) })
  }

  #action(action: Action, frame: Frame, found: Found<[]>): boolean {
    switch (action.kind) {
      case 'test':
        return this.#each(action.node, frame, (value) => value !== false && found())
      case 'unify':
        return this.#each(action.from, frame, (value) => this.#match(action.to, value, frame, found))
      case 'some':
        return this.#each(action.domain, frame, (domain) =>
          somePair(domain, (key, value) => {
            this.#around.spend(1)
            const matchValue = (): boolean => this.#match(action.value, value, frame, found)
            return action.key === undefined ? matchValue() : this.#match(action.key, key, frame, matchValue)
          }),
        )
      case 'every':
        return this.#every(action, frame) && found()
    }
  }

  #every({ key, value, domain, body }: Extract<Action, { kind: 'every' }>, frame: Frame): boolean {
    const collection = this.#first(domain, frame)
    if (collection === undefined || !isCollection(collection)) return false
    const { slots } = frame
    const fails = somePair(collection, (at, of) => {
      this.#around.spend(1)
      if (key !== undefined) slots[key] = at
      slots[value] = of
      return !this.#body(body, frame, () => true)
    })
    if (key !== undefined) slots[key] = undefined
    slots[value] = undefined
    return !fails
  }

  #first(node: Node, frame: Frame): Value | undefined {
    let result: Value | undefined
    this.#each(node, frame, (value) => {
      result = value
      return true
    })
    return result
  }

  /** Each value of a node, with the slots filled that belong to it. */
  #each(node: Node, frame: Frame, found: Found<[Value]>): boolean {
    this.#around.spend(1)
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
        return this.#each(node.of, frame, (of) => this.#below(of, node.key, frame, found))
      case 'builtin':
        return this.#eachOf(node.args, frame, (args) => foundIf(this.#builtin(node, args), found))
      case 'invoke':
        return this.#eachOf(node.args, frame, (args) => foundIf(this.#call(node.rule, args, frame.world), found))
      case 'array':
        return this.#eachOf(node.items, frame, (items) => found(this.#weigh(items)))
      case 'set':
        return this.#eachOf(node.items, frame, (items) => found(new RegoSet(this.#weigh(items))))
      case 'object':
        return this.#eachOf(node.entries.flat(), frame, (items) => found(new RegoObject(inPairs(this.#weigh(items)))))
      case 'comprehension':
        return foundIf(this.#comprehension(node, frame), found)
    }
  }

  #eachOf(nodes: readonly Node[], frame: Frame, found: Found<[readonly Value[]]>): boolean {
    const from = (index: number, values: readonly Value[]): boolean => {
      const node = nodes[index]
      if (node === undefined) return found(values)
      this.#around.spend(values.length / 8)
      return this.#each(node, frame, (value) => from(index + 1, [...values, value]))
    }
    // Long literals are mostly constants; they must not use up the stack.
    const known = nodes.findIndex((node) => node.kind !== 'constant')
    const constants = known === -1 ? nodes : nodes.slice(0, known)
    const values = constants.flatMap((node) => (node.kind === 'constant' ? [node.value] : []))
    return from(values.length, values)
  }

  #builtin({ builtin, line }: Extract<Node, { kind: 'builtin' }>, args: readonly Value[]): Value | undefined {
    if (args.some((arg, index) => ((builtin.args[index] ?? 0) & KIND[kindName(arg)]) === 0)) return undefined
    if (builtin.shallow !== true) this.#weigh(args)
    try {
      const value = builtin.run(args, this.#around)
      if (value !== undefined && builtin.shallow !== true) this.#around.spend(weightOf(value) / 16)
      return value
    } catch (error) {
      if (error instanceof RegoError)
        throw new RegoError(error.code, `line ${String(line)}: ${error.message}`, { cause: error })
      throw error
    }
  }

  #below(of: Value, key: Node, frame: Frame, found: Found<[Value]>): boolean {
    const isOpen =
      key.kind === 'slot' ? frame.slots[key.slot] === undefined : key.kind === 'array' || key.kind === 'object'
    if (!isOpen) return this.#each(key, frame, (at) => foundIf(member(of, this.#weigh([at])[0]), found))
    return somePair(of, (at, value) => {
      this.#around.spend(1)
      return this.#match(key, of instanceof RegoSet ? value : at, frame, () => found(value))
    })
  }

  /** Takes a value apart by a pattern: empty slots are filled, and emptied again afterwards. */
  #match(pattern: Node, value: Value, frame: Frame, found: Found<[]>): boolean {
    this.#around.spend(1)
    if (pattern.kind === 'slot') {
      const there = frame.slots[pattern.slot]
      if (there !== undefined) return this.#same(there, value) && found()
      frame.slots[pattern.slot] = value
      const enough = found()
      frame.slots[pattern.slot] = undefined
      return enough
    }
    if (pattern.kind === 'array') {
      return (
        isArray(value) && value.length === pattern.items.length && this.#matchAll(pattern.items, value, frame, found)
      )
    }
    if (pattern.kind === 'object') return this.#matchObject(pattern.entries, value, frame, found)
    return this.#each(pattern, frame, (own) => this.#same(own, value) && found())
  }

  #matchAll(patterns: readonly Node[], values: readonly Value[], frame: Frame, found: Found<[]>): boolean {
    const from = (index: number): boolean => {
      const pattern = patterns[index]
      const value = values[index]
      if (pattern === undefined || value === undefined) return found()
      return this.#match(pattern, value, frame, () => from(index + 1))
    }
    return from(0)
  }

  #matchObject(entries: readonly (readonly [Node, Node])[], value: Value, frame: Frame, found: Found<[]>): boolean {
    if (!(value instanceof RegoObject)) return false
    const keys = entries.map(([key]) => key)
    return this.#eachOf(keys, frame, (names) => {
      if (new RegoSet(names).size !== value.size) return false
      const values = present(names.map((name) => value.get(name)))
      if (values.length < names.length) return false
      return this.#matchAll(
        entries.map(([, of]) => of),
        values,
        frame,
        found,
      )
    })
  }

  #comprehension({ of, key, value, body, line }: ComprehensionNode, frame: Frame): Value {
    const values: Value[] = []
    const entries = new Map<string, readonly [Value, Value]>()
    this.#body(body, frame, () =>
      this.#each(value, frame, (item) => {
        this.#weigh([item])
        if (key === undefined) {
          values.push(item)
          return false
        }
        return this.#each(key, frame, (at) => {
          this.#weigh([at])
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

  #same(a: Value, b: Value): boolean {
    this.#around.spend(Math.min(weightOf(a), weightOf(b)))
    return equal(a, b)
  }

  /** Counts values that are about to be gone through. */
  #weigh(values: readonly Value[]): readonly Value[] {
    this.#around.spend(weightOf(values) / 4)
    return values
  }

  #deeper<T>(run: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new RegoError('REGO_LIMIT', 'rules and statements are nested too deeply')
    const result = run()
    this.#depth--
    return result
  }
}

function worldOf(input: Value | undefined): World {
  return { input, values: new Map(), calls: new Map() }
}

function conflict({ name, line }: Rule): RegoError {
  return fault('REGO_CONFLICT', line, `${name} has different values`)
}

function foundIf(value: Value | undefined, found: Found<[Value]>): boolean {
  return value !== undefined && found(value)
}

function present(values: readonly (Value | undefined)[]): readonly Value[] {
  return values.filter((value) => value !== undefined)
}

function isCollection(value: Value): boolean {
  return isArray(value) || value instanceof RegoObject || value instanceof RegoSet
}

function inPairs(items: readonly Value[]): readonly (readonly [Value, Value])[] {
  return items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1] ?? null] as const] : []))
}

/**
 * Whether one of the keys and values will do: positions of an array, members of a set with themselves. One after the other, since
 * most who look for one stop early, and nobody counts what is made for the rest.
 */
function somePair(of: Value, suits: (key: Value, value: Value) => boolean): boolean {
  if (isArray(of)) return of.some((item, index) => suits(index, item))
  if (of instanceof RegoSet) return of.members().some((item) => suits(item, item))
  return of instanceof RegoObject && of.entries().some(([key, value]) => suits(key, value))
}

function member(of: Value, key: Value | undefined): Value | undefined {
  if (key === undefined) return undefined
  if (isArray(of)) return typeof key === 'number' && key >= 0 ? of[key] : undefined
  if (of instanceof RegoSet) return of.has(key) ? key : undefined
  return of instanceof RegoObject ? of.get(key) : undefined
}

function replaced(input: Value | undefined, path: readonly string[], value: Value): Value {
  const [first, ...rest] = path
  if (first === undefined) return value
  const object = input instanceof RegoObject ? input : new RegoObject([])
  return new RegoObject([...object.entries(), [first, replaced(object.get(first), rest, value)]])
}
