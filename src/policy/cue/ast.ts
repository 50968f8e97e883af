/** What a CUE text says, as a tree. @module */

/** A value without parts. Integers are bigint; floats stand in an object to be told from them. */
export type Scalar = null | boolean | bigint | CueFloat | string

/** A number that was written with a fraction or an exponent. */
export interface CueFloat {
  readonly float: number
}

export type Expression = { readonly line: number } & (
  | { readonly kind: 'scalar'; readonly value: Scalar }
  | { readonly kind: 'interpolation'; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: 'top' | 'bottom' }
  | { readonly kind: 'reference'; readonly name: string }
  | { readonly kind: 'select'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: readonly Expression[] }
  | { readonly kind: 'unary'; readonly operator: '!' | '-' | '+'; readonly operand: Expression }
  | { readonly kind: 'bound'; readonly operator: BoundOperator; readonly operand: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'disjunction'; readonly alternatives: readonly Alternative[] }
  | StructLiteral
  | { readonly kind: 'list'; readonly items: readonly ListItem[]; readonly rest: Expression | 'closed' }
)

export type BoundOperator = '<' | '<=' | '>' | '>=' | '!=' | '=~' | '!~'
export type BinaryOperator =
  '&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~' | '&&' | '||' | '+' | '-' | '*' | '/'

/** One side of a `|`, with `*` if it is the default. */
export interface Alternative {
  readonly value: Expression
  readonly isDefault: boolean
}

export type ListItem = Expression | Comprehension

export interface StructLiteral {
  readonly kind: 'struct'
  readonly line: number
  readonly declarations: readonly Declaration[]
}

export type Declaration =
  | Field
  | Comprehension
  | { readonly kind: 'embedding'; readonly value: Expression }
  | { readonly kind: 'let'; readonly name: string; readonly value: Expression }
  | { readonly kind: 'ellipsis' }

export interface Field {
  readonly kind: 'field'
  readonly label: Label
  readonly presence: 'regular' | 'optional' | 'required'
  readonly value: Expression
  readonly line: number
}

export type Label =
  | {
      readonly kind: 'name'
      readonly key: string
      /** Quoted labels cannot be referred to by their name. */ readonly quoted: boolean
    }
  | { readonly kind: 'dynamic'; readonly value: Expression }
  | { readonly kind: 'pattern'; readonly value: Expression; readonly alias: string | undefined }

export interface Comprehension {
  readonly kind: 'comprehension'
  readonly clauses: readonly Clause[]
  readonly body: StructLiteral
  readonly line: number
}

export type Clause =
  | { readonly kind: 'if'; readonly condition: Expression }
  | { readonly kind: 'for'; readonly key: string | undefined; readonly value: string; readonly source: Expression }
  | { readonly kind: 'let'; readonly name: string; readonly value: Expression }

/** A whole file: what it imports, by the name in use, and its declarations. */
export interface CueFile {
  readonly imports: ReadonlyMap<string, string>
  readonly root: StructLiteral
}
