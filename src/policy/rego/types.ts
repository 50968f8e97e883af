/** Kinds that can be known before there is any input: what can never fit is refused, as the original refuses it. @module */
import { ANY } from './builtins/builtin.js'
import type { Node, Plan, PlannedClause, Rule, Step } from './plan.js'
import { fault } from './rego-error.js'
import { KIND, kindName } from './value.js'
import { children, closuresIn, nodesOf } from './walk.js'

const BELOW = KIND.array | KIND.object | KIND.set

/**
 * Checks rules, each after those that it depends on.
 * @throws RegoError REGO_TYPE
 */
export function checkTypes(rules: readonly Rule[]): void {
  const kinds = new Map<Rule, number>()
  for (const rule of rules) kindsOfRule(rule, kinds)
}

type Known = Map<Rule, number>

function kindsOfRule(rule: Rule, known: Known): number {
  const there = known.get(rule)
  if (there !== undefined) return there
  const values = rule.chains.flat().map((clause) => new ClauseTypes(clause, known).kinds())
  const initial = rule.initial === undefined ? 0 : KIND[kindName(rule.initial)]
  const all = values.reduce((sum, each) => sum | each, initial)
  const kinds = rule.kind === 'set' ? KIND.set : rule.kind === 'object' ? KIND.object : all
  known.set(rule, kinds)
  return kinds
}

class ClauseTypes {
  readonly #clause: PlannedClause
  readonly #known: Known
  readonly #slots = new Map<number, number>()

  constructor(clause: PlannedClause, known: Known) {
    this.#clause = clause
    this.#known = known
  }

  kinds(): number {
    const { body, key, value, line } = this.#clause
    this.#body(body)
    if (key !== undefined) this.#of(key, line)
    return this.#of(value, line)
  }

  #body({ steps }: Plan): void {
    for (const step of steps) this.#step(step)
  }

  #step(step: Step): void {
    const { action, line } = step
    if (action.kind === 'every') this.#body(action.body)
    if (action.kind !== 'unify') {
      for (const node of nodesOf(step)) this.#of(node, line)
      if ((action.kind === 'some' || action.kind === 'every') && (this.#of(action.domain, line) & BELOW) === 0) {
        throw fault('REGO_TYPE', line, 'there is nothing in a scalar')
      }
      return
    }
    for (const { value } of step.with) this.#of(value, line)
    const from = this.#of(action.from, line)
    const to = this.#of(action.to, line)
    if ((from & to) === 0) throw fault('REGO_TYPE', line, 'values of different types are never the same')
    if (action.to.kind === 'slot' && !step.negated) this.#slots.set(action.to.slot, from & to)
  }

  /** The kinds a node can have. */
  #of(node: Node, line: number): number {
    for (const closure of node.kind === 'comprehension' ? closuresIn(node) : []) {
      this.#body(closure.body)
      for (const head of closure.heads) this.#of(head, closure.line)
    }
    const below = children(node).map((child) => this.#of(child, line))
    switch (node.kind) {
      case 'constant':
        return KIND[kindName(node.value)]
      case 'slot':
        return this.#slots.get(node.slot) ?? ANY
      case 'invoke':
        requireFit(node.rule, below, line)
        return kindsOfRule(node.rule, this.#known)
      case 'rule':
        return kindsOfRule(node.rule, this.#known)
      case 'step':
        if (((below[0] ?? ANY) & BELOW) === 0) throw fault('REGO_TYPE', line, 'there is nothing below a scalar')
        return ANY
      case 'builtin':
        for (const [index, kinds] of node.builtin.args.entries()) {
          if ((kinds & (below[index] ?? ANY)) === 0) {
            throw fault('REGO_TYPE', node.line, `argument ${String(index + 1)} is of a type that does not fit`)
          }
        }
        return this.#narrowed(node, below)
      case 'comprehension':
        return KIND[node.of]
      case 'array':
      case 'set':
      case 'object':
        return KIND[node.kind]
      default:
        return ANY
    }
  }

  /** Comparing with `==` is what unification checks, too. */
  #narrowed(node: Extract<Node, { kind: 'builtin' }>, [a = ANY, b = ANY]: readonly number[]): number {
    if (node.builtin.sameKind === true && (a & b) === 0) {
      throw fault('REGO_TYPE', node.line, 'values of different types are never the same')
    }
    return node.builtin.result
  }
}

/** Arguments must be of a kind that some rule of the function takes. */
function requireFit({ chains, name }: Rule, given: readonly number[], line: number): void {
  for (const [index, kinds] of given.entries()) {
    const wanted = chains.flat().map(({ args }) => kindsOfPattern(args[index]))
    if (wanted.every((each) => (each & kinds) === 0)) {
      throw fault('REGO_TYPE', line, `argument ${String(index + 1)} of ${name} is of a type that does not fit`)
    }
  }
}

function kindsOfPattern(pattern: Node | undefined): number {
  if (pattern?.kind === 'constant') return KIND[kindName(pattern.value)]
  return pattern?.kind === 'array' || pattern?.kind === 'object' ? KIND[pattern.kind] : ANY
}
