/** What the checker found out about an expression. @module */
import type { Call, Expr } from './ast.js'
import type { Overload } from './environment.js'
import type { CelType } from './types.js'

/** What a name stands for. */
export type Reference =
  | { readonly kind: 'local'; readonly slot: number }
  | { readonly kind: 'variable'; readonly name: string }
  /** A type by its name: `int`, `type`. */
  | { readonly kind: 'type'; readonly name: string }

/** The forms of a function that may be meant, and whether the receiver is one of the arguments. */
export interface Resolution {
  readonly name: string
  readonly overloads: readonly Overload[]
  readonly args: readonly Expr[]
}

export interface CheckedExpression {
  readonly source: string
  readonly root: Expr
  readonly type: CelType
  typeOf(expr: Expr): CelType
  /** Whether what looks like a field is a name with dots. */
  isName(expr: Expr): boolean
  reference(expr: Expr): Reference
  resolution(call: Call): Resolution
  /** The places in memory of the names that a construct introduces. */
  slots(expr: Expr): readonly number[]
}
