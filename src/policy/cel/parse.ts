/** Reads CEL expressions. The library reads the grammar; macros, literals and limits are ours. @module */
import type { ASTNode, BinaryOperator } from '@marcbachmann/cel-js'
import type { Expr, LiteralValue } from './ast.js'
import { CelError, placeOf } from './cel-error.js'
import { expandMacro } from './macros.js'
import { prepareOptionalEntries } from './optional-entries.js'
import { Uint } from './values.js'

/** Gives the tree of an expression. @throws CelError `CEL_SYNTAX`, `CEL_UNSUPPORTED`, `CEL_LIMIT` */
export type Parse = (source: string) => Expr

/** Most characters and nodes of an expression, and how deeply it may be nested: what follows walks it recursively. */
const MAX_SOURCE = 32_768
const MAX_NODES = 10_000
const MAX_DEPTH = 250

/** The parser. Its library is loaded only where a policy has expressions. */
export async function loadParser(): Promise<Parse> {
  const { Environment, ParseError } = await import('@marcbachmann/cel-js')
  const limits = {
    maxAstNodes: MAX_NODES,
    maxDepth: MAX_DEPTH,
    maxListElements: MAX_NODES,
    maxMapEntries: MAX_NODES,
    maxCallArguments: 100,
  }
  const environment = new Environment({ enableOptionalTypes: true, limits })
  return (source) => {
    if (source.length > MAX_SOURCE) {
      throw new CelError('CEL_LIMIT', 'an expression is too long', {
        expected: `at most ${String(MAX_SOURCE)} characters`,
      })
    }
    const prepared = prepareOptionalEntries(source)
    let tree: ASTNode
    try {
      tree = environment.parse(prepared.source).ast
    } catch (cause) {
      if (!(cause instanceof ParseError)) throw cause
      throw unreadable(source, cause)
    }
    return new Reader(source, prepared.marks).expr(tree)
  }
}

function unreadable(
  source: string,
  { code, summary, range }: { code: string; summary: string; range?: { start: number } },
): CelError {
  const limited = code === 'limit_exceeded'
  return new CelError(
    limited ? 'CEL_LIMIT' : 'CEL_SYNTAX',
    limited ? 'an expression is too large' : `not a CEL expression: ${summary}`,
    {
      found: placeOf(source, range?.start ?? 0),
    },
  )
}

const INT_MAX = 2n ** 63n - 1n
const UINT_MAX = 2n ** 64n - 1n

const BINARY: Readonly<Record<Exclude<BinaryOperator, never>, string>> = {
  '==': '_==_',
  '!=': '_!=_',
  in: '@in',
  '+': '_+_',
  '-': '_-_',
  '*': '_*_',
  '/': '_/_',
  '%': '_%_',
  '<': '_<_',
  '<=': '_<=_',
  '>': '_>_',
  '>=': '_>=_',
}

/** The library's tree into ours. */
class Reader {
  readonly #source: string
  /** Where exclamation marks stand for the question marks of optional entries. */
  readonly #marks: ReadonlySet<number>
  #depth = 0

  constructor(source: string, marks: ReadonlySet<number>) {
    this.#source = source
    this.#marks = marks
  }

  expr(node: ASTNode): Expr {
    // A long chain of operators nests as deeply as it is long.
    if (++this.#depth > MAX_DEPTH) {
      throw new CelError('CEL_LIMIT', 'an expression is nested too deeply', { found: placeOf(this.#source, node.pos) })
    }
    const expr = this.#node(node)
    this.#depth--
    return expr
  }

  #node(node: ASTNode): Expr {
    const at = node.pos
    switch (node.op) {
      case 'value':
        return { kind: 'literal', value: this.#literal(node), at }
      case 'id':
        return { kind: 'name', name: node.args, at }
      case '.':
      case '.?':
        return {
          kind: 'select',
          operand: this.expr(node.args[0]),
          field: node.args[1],
          optional: node.op === '.?',
          at,
        }
      case '[]':
      case '[?]':
        return this.#call(node.op === '[]' ? '_[_]' : '_[?_]', node.args, at)
      case 'call':
        return this.#macro({ name: node.args[0], receiver: undefined, args: node.args[1], at })
      case 'rcall':
        return this.#macro({ name: node.args[0], receiver: node.args[1], args: node.args[2], at })
      case 'list':
      case 'map':
        return this.#aggregate(node, at)
      case '?:': {
        const [condition, yes, no] = node.args
        return { kind: 'conditional', condition: this.expr(condition), yes: this.expr(yes), no: this.expr(no), at }
      }
      case '||':
      case '&&': {
        const [left, right] = node.args
        const operator = node.op === '&&' ? 'and' : 'or'
        return { kind: 'logical', operator, left: this.expr(left), right: this.expr(right), at }
      }
      case '!_':
        return this.#marks.has(at) ? this.expr(node.args) : this.#call('!_', [node.args], at)
      case '-_':
        return this.#negated(node.args, at)
      default:
        return this.#call(BINARY[node.op], node.args, at)
    }
  }

  #aggregate(node: Extract<ASTNode, { readonly op: 'list' | 'map' }>, at: number): Expr {
    if (node.op === 'list') {
      const elements = node.args.map((each) => this.expr(each))
      return { kind: 'list', elements, optional: this.#optional(node.args), at }
    }
    const entries = node.args.map(([key, value]) => [this.expr(key), this.expr(value)] as const)
    return { kind: 'map', entries, optional: this.#optional(node.args.map(([key]) => key)), at }
  }

  #optional(nodes: readonly ASTNode[]): ReadonlySet<number> {
    return new Set(nodes.flatMap(({ start }, index) => (this.#marks.has(start) ? [index] : [])))
  }

  #call(name: string, args: readonly ASTNode[], at: number): Expr {
    return { kind: 'call', name, receiver: undefined, args: args.map((each) => this.expr(each)), at }
  }

  #macro(call: {
    readonly name: string
    readonly receiver: ASTNode | undefined
    readonly args: readonly ASTNode[]
    readonly at: number
  }): Expr {
    const { name, at } = call
    const receiver = call.receiver === undefined ? undefined : this.expr(call.receiver)
    const args = call.args.map((each) => this.expr(each))
    return expandMacro({ kind: 'call', name, receiver, args, at }, this.#source)
  }

  /** The least integer is written as one literal: its positive is none. */
  #negated(node: ASTNode, at: number): Expr {
    if (node.op === 'value' && node.start === at + 1) {
      const { args } = node
      if (typeof args === 'bigint') return { kind: 'literal', value: this.#int(-args, at), at }
      if (typeof args === 'number') return { kind: 'literal', value: -args, at }
    }
    return this.#call('-_', [node], at)
  }

  #literal({ args, start, end }: Extract<ASTNode, { readonly op: 'value' }>): LiteralValue {
    if (typeof args === 'bigint') return this.#int(args, start)
    if (typeof args !== 'object' || args === null) return args
    if (args instanceof Uint8Array) return this.#bytes(args, start, end)
    const value = args.valueOf()
    if (value > UINT_MAX) throw this.#badLiteral('an unsigned integer is too large', start)
    return new Uint(value)
  }

  #int(value: bigint, at: number): bigint {
    if (value > INT_MAX || value < -INT_MAX - 1n) throw this.#badLiteral('an integer is too large', at)
    return value
  }

  /** The library takes characters beyond ASCII for single bytes, where CEL has their UTF-8. */
  #bytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (/[^\u0000-\u007f]/.test(this.#source.slice(start, end))) {
      throw new CelError('CEL_UNSUPPORTED', 'characters beyond ASCII in a literal of bytes', {
        found: placeOf(this.#source, start),
        hint: 'write bytes("…")',
      })
    }
    return bytes
  }

  #badLiteral(message: string, at: number): CelError {
    return new CelError('CEL_SYNTAX', message, { expected: '64 bits', found: placeOf(this.#source, at) })
  }
}
