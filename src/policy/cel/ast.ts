/** The tree of a CEL expression, with its macros as constructs of their own. @module */
import type { Uint } from './values.js'

/** Where it stands: an offset in the source. */
interface Placed {
  readonly at: number
}

export type LiteralValue = null | boolean | bigint | number | string | Uint8Array | Uint

/** What is done with each element of a list, or each key of a map. */
export type LoopKind =
  'all' | 'exists' | 'existsOne' | 'map' | 'filter' | 'transformList' | 'transformMap' | 'transformMapEntry' | 'sortBy'

export type Loop = Placed & {
  readonly kind: 'loop'
  readonly loop: LoopKind
  readonly range: Expr
  /** One name: the element, or the key of a map. Two: index and element, or key and value. */
  readonly names: readonly [string] | readonly [string, string]
  /** Elements of which this is false are left out. */
  readonly filter: Expr | undefined
  readonly body: Expr
}

export type Call = Placed & {
  readonly kind: 'call'
  readonly name: string
  readonly receiver: Expr | undefined
  readonly args: readonly Expr[]
}

export type Select = Placed & {
  readonly kind: 'select'
  readonly operand: Expr
  readonly field: string
  /** `a.?b` */
  readonly optional: boolean
}

export type Expr =
  | (Placed & { readonly kind: 'literal'; readonly value: LiteralValue })
  | (Placed & { readonly kind: 'name'; readonly name: string })
  | Select
  /** `has(a.b)` */
  | (Placed & { readonly kind: 'has'; readonly operand: Expr; readonly field: string })
  | Call
  /** `&&`, `||`: what the other side decides does not depend on an error of this one. */
  | (Placed & { readonly kind: 'logical'; readonly operator: 'and' | 'or'; readonly left: Expr; readonly right: Expr })
  | (Placed & { readonly kind: 'conditional'; readonly condition: Expr; readonly yes: Expr; readonly no: Expr })
  /** Of optional elements and entries, by index, the value is taken where there is one. */
  | (Placed & { readonly kind: 'list'; readonly elements: readonly Expr[]; readonly optional: ReadonlySet<number> })
  | (Placed & {
      readonly kind: 'map'
      readonly entries: readonly (readonly [key: Expr, value: Expr])[]
      readonly optional: ReadonlySet<number>
    })
  | Loop
  /** `cel.bind(name, value, body)` */
  | (Placed & { readonly kind: 'bind'; readonly name: string; readonly value: Expr; readonly body: Expr })
  /** `optional.optMap(name, body)`, and `optFlatMap`, whose body is optional itself. */
  | (Placed & {
      readonly kind: 'optional-map'
      readonly operand: Expr
      readonly name: string
      readonly body: Expr
      readonly flat: boolean
    })

export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'name':
      return []
    case 'select':
    case 'has':
      return [expr.operand]
    case 'call':
      return expr.receiver === undefined ? expr.args : [expr.receiver, ...expr.args]
    case 'logical':
      return [expr.left, expr.right]
    case 'conditional':
      return [expr.condition, expr.yes, expr.no]
    case 'list':
      return expr.elements
    case 'map':
      return expr.entries.flat()
    case 'loop':
      return expr.filter === undefined ? [expr.range, expr.body] : [expr.range, expr.filter, expr.body]
    case 'bind':
      return [expr.value, expr.body]
    case 'optional-map':
      return [expr.operand, expr.body]
  }
}
