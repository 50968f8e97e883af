/** What the parts of the evaluator ask of the whole, and what it works on. @module */
import type { Node, Plan, Rule } from './plan.js'
import type { Value } from './value.js'

/** What is known during a query under one input. */
export interface World {
  /** What evaluates it. */
  readonly evaluation: Evaluation
  readonly input: Value | undefined
  readonly values: Map<Rule, Value | undefined>
  readonly calls: Map<Rule, Map<string, Value | undefined>>
}

/** The slots of a clause that is being run. */
export interface Frame {
  readonly slots: (Value | undefined)[]
  readonly world: World
}

/** Is told each value or way; says whether that was enough. */
export type Found<T extends unknown[]> = (...found: T) => boolean

export interface Evaluation {
  /** Every way to satisfy a body. */
  body(body: Plan, frame: Frame, found: Found<[]>): boolean
  /** Each value of a node, with the slots filled that belong to it. */
  each(node: Node, frame: Frame, found: Found<[Value]>): boolean
  /** Each combination of values of several nodes. */
  eachOf(nodes: readonly Node[], frame: Frame, found: Found<[readonly Value[]]>): boolean
  first(node: Node, frame: Frame): Value | undefined
  /** Whether two values are equal; comparing them is counted. */
  same(a: Value, b: Value): boolean
  /** @throws RegoError `REGO_LIMIT` */
  spend(steps: number): void
  /** Counts values that are about to be gone through. */
  weigh(values: readonly Value[]): readonly Value[]
  /** @throws RegoError `REGO_LIMIT` for what is nested too deeply */
  deeper<T>(run: () => T): T
}

export function worldOf(input: Value | undefined, evaluation: Evaluation): World {
  return { evaluation, input, values: new Map(), calls: new Map() }
}

export function foundIf(value: Value | undefined, found: Found<[Value]>): boolean {
  return value !== undefined && found(value)
}
