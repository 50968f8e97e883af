/** The part of JMESPath's grammar that Kyverno's library has; what the newer library adds to it is refused. @module */
import type { JsonValue } from '#encoding/json'
import type { JmesFunction } from './function.js'
import { FUNCTIONS, REFUSED_FUNCTIONS } from './functions.js'
import { JmesPathError } from './jmespath-error.js'

interface Both {
  readonly left: ExpressionTree
  readonly right: ExpressionTree
}

/** `[start:stop:step]` */
export interface Slice {
  readonly start: number | null
  readonly stop: number | null
  readonly step: number | null
}

/** A parsed expression. */
export type ExpressionTree =
  | { readonly type: 'Identity' | 'Current' }
  | { readonly type: 'Field'; readonly name: string }
  | { readonly type: 'Literal'; readonly value: JsonValue }
  | { readonly type: 'Index'; readonly value: number }
  | (Slice & { readonly type: 'Slice' })
  | (Both & { readonly type: 'Subexpression' })
  | (Both & { readonly type: 'IndexExpression' })
  | (Both & { readonly type: 'Pipe' })
  | (Both & { readonly type: 'Projection' })
  | (Both & { readonly type: 'ValueProjection' })
  | (Both & { readonly type: 'OrExpression' })
  | (Both & { readonly type: 'AndExpression' })
  | (Both & { readonly type: 'FilterProjection'; readonly condition: ExpressionTree })
  | (Both & { readonly type: 'Comparator'; readonly name: 'GT' | 'LT' | 'GTE' | 'LTE' | 'NE' | 'EQ' })
  | { readonly type: 'Flatten' | 'NotExpression'; readonly child: ExpressionTree }
  | { readonly type: 'ExpressionReference'; readonly child: ExpressionTree }
  | { readonly type: 'MultiSelectList'; readonly children: readonly ExpressionTree[] }
  | {
      readonly type: 'MultiSelectHash'
      readonly children: readonly { readonly name: string; readonly value: ExpressionTree }[]
    }
  | { readonly type: 'Function'; readonly name: string; readonly children: readonly ExpressionTree[] }

/** Deepest nesting; `a.b.c` is two deep. */
const MAX_DEPTH = 200

/** The members of each kind of node that hold further nodes. What is not here is refused. */
const PARTS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['Identity', []],
  ['Current', []],
  ['Field', []],
  ['Literal', []],
  ['Index', []],
  ['Slice', []],
  ...['Subexpression', 'IndexExpression', 'Pipe', 'Projection', 'ValueProjection', 'OrExpression', 'AndExpression'].map(
    (type) => [type, ['left', 'right']] as const,
  ),
  ['FilterProjection', ['left', 'right', 'condition']],
  ['Comparator', ['left', 'right']],
  ['Flatten', ['child']],
  ['NotExpression', ['child']],
  ['ExpressionReference', ['child']],
  ['MultiSelectList', ['children']],
  ['MultiSelectHash', ['children']],
  ['KeyValuePair', ['value']],
  ['Function', ['children']],
])

interface AnyNode {
  readonly type: string
  readonly name?: string
  readonly [part: string]: unknown
}

/**
 * Checks what the library parsed.
 * @throws {@link JmesPathError} JMESPATH_UNSUPPORTED, JMESPATH_SYNTAX (number of arguments) or JMESPATH_LIMIT
 */
export function checkTree(root: AnyNode, expression: string): ExpressionTree {
  check(root, expression, 0)
  return root as unknown as ExpressionTree // every node was checked against PARTS
}

function check(node: AnyNode, expression: string, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new JmesPathError('JMESPATH_LIMIT', 'an expression is nested too deeply', {
      expected: `at most ${String(MAX_DEPTH)} levels`,
    })
  }
  const parts = PARTS.get(node.type)
  if (parts === undefined) throw unsupported(node.type, expression)
  if (node.type === 'Function') checkFunction(node, expression)
  for (const name of parts) {
    const part = node[name] as AnyNode | readonly AnyNode[]
    for (const each of Array.isArray(part) ? (part as readonly AnyNode[]) : [part as AnyNode]) {
      check(each, expression, depth + 1)
    }
  }
}

function checkFunction({ name = '', children }: AnyNode, expression: string): void {
  const declared = FUNCTIONS.get(name)
  if (declared === undefined) throw unsupported(`the function ${name}`, expression, REFUSED_FUNCTIONS.get(name))
  const args = children as readonly AnyNode[]
  if (isArity(declared, args.length)) return
  throw new JmesPathError('JMESPATH_SYNTAX', `the function ${name} takes another number of arguments`, {
    expected: `${declared.variadic ? 'at least ' : ''}${String(declared.parameters.length)}`,
    found: `${String(args.length)} in ${quoted(expression)}`,
  })
}

function isArity({ parameters, variadic }: JmesFunction, count: number): boolean {
  return variadic ? count >= parameters.length : count === parameters.length
}

function unsupported(what: string, expression: string, hint?: string): JmesPathError {
  return new JmesPathError('JMESPATH_UNSUPPORTED', `${what} is not supported in expressions here`, {
    found: quoted(expression),
    hint: hint ?? 'docs/policies.md lists what is',
  })
}

/** An expression for a message. */
export function quoted(expression: string): string {
  return expression.length > 120 ? `${expression.slice(0, 120)}…` : expression
}
