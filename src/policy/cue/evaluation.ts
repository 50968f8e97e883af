/** What the parts of the evaluator ask of the whole. @module */
import type { Expression } from './ast.js'
import type { Budget } from './budget.js'
import type { Arc, Binding, Conjunct, ExpressionConjunct, Presence, Scope, Surroundings, Vertex } from './vertex.js'

export interface Evaluation {
  /** Package names in use, with their paths. */
  readonly imports: ReadonlyMap<string, string>
  readonly budget: Budget
  /** Looks a place through, and returns what stands for it: itself, or its copy with alternatives picked. */
  settle(vertex: Vertex): Vertex
  /** A settled place of its own for an expression. */
  place(expression: Expression, surroundings: Surroundings, path: string): Vertex
  /** Calculates an expression once in its surroundings, however many places it holds at, until something becomes known. */
  once<T>(conjunct: ExpressionConjunct, calculate: () => T): T
  /** Adds a conjunct to a place. */
  say(vertex: Vertex, conjunct: Conjunct): void
  /** Says at once what one conjunct means for a place. */
  take(vertex: Vertex, conjunct: Conjunct): void
  /** Makes everything that is said about another place hold here too. */
  link(vertex: Vertex, target: Vertex, via: Surroundings): void
  /** The field of a place, made if it is not there. */
  arcOf(vertex: Vertex, key: string, presence: Presence): Arc
  /** What a name stands for, or undefined for predeclared ones. */
  lookup(name: string, scope: Scope | undefined): Binding | undefined
}
