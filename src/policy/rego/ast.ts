/** The syntax tree of a Rego module. @module */
import type { Value } from './value.js'

export type Term =
  | { readonly kind: 'constant'; readonly value: Value; readonly line: number }
  | { readonly kind: 'variable'; readonly name: string; readonly line: number }
  | { readonly kind: 'ref'; readonly head: Term; readonly path: readonly Term[]; readonly line: number }
  /** A call by its dotted name, or an operator by the name of its builtin. */
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Term[]; readonly line: number }
  | { readonly kind: 'array' | 'set'; readonly items: readonly Term[]; readonly line: number }
  | { readonly kind: 'object'; readonly entries: readonly Entry[]; readonly line: number }
  | Comprehension

export type Entry = readonly [key: Term, value: Term]

export interface Comprehension {
  readonly kind: 'comprehension'
  readonly of: 'array' | 'set' | 'object'
  readonly key: Term | undefined
  readonly value: Term
  readonly body: Body
  readonly line: number
}

export type Body = readonly Literal[]

export interface With {
  /** The way below `input`; empty for `input` itself. */
  readonly path: readonly string[]
  readonly value: Term
}

export interface Literal {
  readonly statement: Statement
  readonly negated: boolean
  readonly with: readonly With[]
  readonly line: number
}

export type Statement =
  | { readonly kind: 'term'; readonly term: Term }
  | { readonly kind: 'unify' | 'assign'; readonly left: Term; readonly right: Term }
  | { readonly kind: 'some'; readonly names: readonly string[] }
  | { readonly kind: 'some-in'; readonly key: Term | undefined; readonly value: Term; readonly domain: Term }
  | {
      readonly kind: 'every'
      readonly key: string | undefined
      readonly value: string
      readonly domain: Term
      readonly body: Body
    }

/** One way to a rule's value: the value and the body, and what is tried if the body does not hold. */
export interface Clause {
  readonly key: Term | undefined
  readonly value: Term
  readonly body: Body
  readonly line: number
}

export type RuleKind = 'complete' | 'set' | 'object' | 'function'

export interface RuleText {
  readonly name: string
  readonly kind: RuleKind
  readonly isDefault: boolean
  readonly args: readonly Term[]
  /** The first, and then the `else` ones. */
  readonly clauses: readonly Clause[]
  readonly line: number
}

export interface ImportText {
  readonly path: readonly string[]
  readonly alias: string
}

export interface Module {
  readonly path: readonly string[]
  readonly imports: readonly ImportText[]
  readonly rules: readonly RuleText[]
}
