/** What a policy is made into: names are slots, statements are in an order in which every slot is filled before it is used. @module */
import type { Builtin } from './builtins/builtin.js'
import type { RuleKind } from './ast.js'
import type { Value } from './value.js'

export type Node =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'slot'; readonly slot: number; readonly name: string }
  | { readonly kind: 'input' }
  /** What is never there, as data that nobody gave. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'rule'; readonly rule: Rule }
  | { readonly kind: 'step'; readonly of: Node; readonly key: Node }
  | { readonly kind: 'builtin'; readonly builtin: Builtin; readonly args: readonly Node[]; readonly line: number }
  | { readonly kind: 'invoke'; readonly rule: Rule; readonly args: readonly Node[] }
  | { readonly kind: 'array' | 'set'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [Node, Node])[] }
  | ComprehensionNode

export interface ComprehensionNode {
  readonly kind: 'comprehension'
  readonly of: 'array' | 'set' | 'object'
  readonly key: Node | undefined
  readonly value: Node
  readonly body: Plan
  readonly line: number
}

/** Statements, put in order once it is known which slots are filled before. */
export interface Plan {
  steps: readonly Step[]
}

export interface Override {
  readonly path: readonly string[]
  readonly value: Node
}

export interface Step {
  readonly action: Action
  readonly negated: boolean
  readonly with: readonly Override[]
  readonly line: number
}

export type Action =
  | { readonly kind: 'test'; readonly node: Node }
  /** The value of `from` is taken apart by `to`, which may fill slots. */
  | { readonly kind: 'unify'; readonly from: Node; readonly to: Node }
  | { readonly kind: 'some'; readonly key: Node | undefined; readonly value: Node; readonly domain: Node }
  | {
      readonly kind: 'every'
      readonly key: number | undefined
      readonly value: number
      readonly domain: Node
      readonly body: Plan
    }

export interface PlannedClause {
  readonly args: readonly Node[]
  readonly key: Node | undefined
  readonly value: Node
  readonly body: Plan
  readonly slots: number
  readonly line: number
}

/** All rules of one name. */
export interface Rule {
  readonly name: string
  readonly kind: RuleKind
  readonly arity: number
  readonly line: number
  initial: Value | undefined
  /** Each a chain of `else`. */
  readonly chains: (readonly PlannedClause[])[]
}
