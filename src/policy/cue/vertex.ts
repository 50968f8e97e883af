/** A place in the value under judgement: everything that is said about it, and what came of it so far. @module */
import type { JsonValue } from '#encoding/json'
import type { Comprehension, Expression, Scalar, StructLiteral } from './ast.js'
import type { Budget } from './budget.js'
import type { CloseGroup } from './close-group.js'
import { ANY_KIND } from './scalar.js'

/** One thing said about a place: an expression in its surroundings, or given data. */
export type Conjunct = ExpressionConjunct | { readonly kind: 'data'; readonly data: JsonValue }

export interface ExpressionConjunct extends Surroundings {
  readonly kind: 'expression'
  readonly expression: Expression
}

/** Where something stands. */
export interface Surroundings {
  readonly scope: Scope | undefined
  /** The closed structs that its fields belong to. */
  readonly groups: readonly CloseGroup[]
  /** Whether it is embedded, so that its own closedness gives way to that of its surroundings. */
  readonly embedded: boolean
}

/** Where names are looked up: the innermost surroundings first. */
export type Scope = { readonly outer: Scope | undefined } & (
  | {
      /** The struct literal whose fields are visible, as part of the place that it became part of. */
      readonly literal: StructLiteral
      readonly vertex: Vertex
    }
  | { /** What `let`, `for` and pattern aliases bind. */ readonly bindings: ReadonlyMap<string, Binding> }
)

/** What a bound name stands for: an expression elsewhere, or given data. */
export type Binding =
  | ExpressionConjunct
  | { readonly kind: 'place'; readonly vertex: Vertex }
  /** A field, which has no value to refer to unless it is a regular one. */
  | { readonly kind: 'arc'; readonly arc: Arc }

export type Presence = 'regular' | 'required' | 'optional'

/** A field of a place. */
export interface Arc {
  readonly vertex: Vertex
  presence: Presence
}

/** Why a place can have no value. */
export interface Flaw {
  readonly path: string
  readonly message: string
  readonly expected?: string
  readonly found?: string
}

/** A condition on a value that is not its kind: a bound, or what a builtin asks for. */
export interface Check {
  /** As CUE would write it. */
  readonly text: string
  readonly kinds: number
  /** Judges what is known of a value. 'later' if that is too little. */
  judge(subject: Subject, budget: Budget): boolean | 'later'
  /** Bounds on numbers, for finding out that no number is left. */
  readonly range?: { readonly operator: '<' | '<=' | '>' | '>='; readonly limit: number }
}

/** What a check or a builtin can see of a value. */
export interface Subject {
  readonly scalar: Scalar | undefined
  readonly kinds: number
  /** Number of fields or items. */
  readonly size: number
  /** Whether more fields or items could come. */
  readonly growing: boolean
  /** The items of a list, where all of them are scalars. */
  readonly items: readonly Scalar[] | undefined
}

/** A constraint on all fields whose names match. */
export interface PatternField extends Surroundings {
  readonly pattern: Expression
  readonly alias: string | undefined
  readonly value: Expression
  readonly applied: Set<string>
}

/** Work that waits for something to become known. */
export type Deferred =
  ExpressionConjunct | (Surroundings & { readonly kind: 'comprehension'; readonly comprehension: Comprehension })

export class Vertex {
  readonly path: string
  /** The place that this one is a field or an item of. */
  readonly parent: Vertex | undefined
  /** How many places it is below the root. */
  readonly depth: number
  readonly conjuncts: Conjunct[] = []
  /** How many of the conjuncts have been taken in. */
  taken = 0
  /** Other places whose conjuncts hold here too, with how many of them were taken over. */
  readonly links: { readonly target: Vertex; readonly via: Surroundings; taken: number }[] = []
  readonly deferred: Deferred[] = []
  readonly disjunctions: ExpressionConjunct[] = []
  readonly patterns: PatternField[] = []
  readonly groups: Set<CloseGroup> = new Set<CloseGroup>()
  /** The literals of structs and lists that were taken in. */
  readonly literals: Set<Expression> = new Set<Expression>()
  /** Which alternative was picked of the disjunctions that were met before this copy was made. */
  readonly choices: ReadonlyMap<Expression, Expression>

  kinds: number = ANY_KIND
  scalar: Scalar | undefined
  readonly checks: Check[] = []
  flaw: Flaw | undefined
  readonly arcs: Map<string, Arc> = new Map<string, Arc>()
  readonly items: Vertex[] = []
  /** What every further item of the list must be. */
  readonly rest: Conjunct[] = []
  lengthFixed = false

  /** The copy with alternatives picked, if exactly one is left, or else the default. */
  picked: Vertex | undefined
  state: 'untouched' | 'working' | 'done' = 'untouched'
  /** Whether others saw it while it was being worked on. */
  peeked = false
  /** What others saw of it first while it was being worked on this time. */
  glimpse: readonly unknown[] | undefined
  /** The evaluator's count of changes when this place was last looked through. */
  seen = -1

  constructor(
    path: string,
    origin: { readonly parent?: Vertex | undefined; readonly choices?: ReadonlyMap<Expression, Expression> } = {},
  ) {
    this.path = path
    this.parent = origin.parent
    this.depth = origin.parent === undefined ? 0 : origin.parent.depth + 1
    this.choices = origin.choices ?? new Map<Expression, Expression>()
  }

  childPath(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** Whether a literal stands inside itself here, with no data that would end it. */
  repeats(literal: Expression): boolean {
    this.literals.add(literal)
    if (this.conjuncts.some((conjunct) => conjunct.kind === 'data')) return false
    for (let at = this.parent; at !== undefined; at = at.parent) if (at.literals.has(literal)) return true
    return false
  }
}
