/** Calls that are not calls: their arguments are names and expressions, not values. @module */
import type { Call, Expr, LoopKind } from './ast.js'
import { CelError, placeOf } from './cel-error.js'

/** How many names a loop has, with how many arguments. The last argument is the body; one more before it is a filter. */
const LOOPS: ReadonlyMap<
  string,
  { readonly loop: LoopKind; readonly forms: readonly (readonly [names: 1 | 2, args: number])[] }
> = new Map([
  [
    'all',
    {
      loop: 'all',
      forms: [
        [1, 2],
        [2, 3],
      ],
    },
  ],
  [
    'exists',
    {
      loop: 'exists',
      forms: [
        [1, 2],
        [2, 3],
      ],
    },
  ],
  ['exists_one', { loop: 'existsOne', forms: [[1, 2]] }],
  [
    'existsOne',
    {
      loop: 'existsOne',
      forms: [[2, 3]],
    },
  ],
  [
    'map',
    {
      loop: 'map',
      forms: [
        [1, 2],
        [1, 3],
      ],
    },
  ],
  ['filter', { loop: 'filter', forms: [[1, 2]] }],
  [
    'transformList',
    {
      loop: 'transformList',
      forms: [
        [2, 3],
        [2, 4],
      ],
    },
  ],
  [
    'transformMap',
    {
      loop: 'transformMap',
      forms: [
        [2, 3],
        [2, 4],
      ],
    },
  ],
  [
    'transformMapEntry',
    {
      loop: 'transformMapEntry',
      forms: [
        [2, 3],
        [2, 4],
      ],
    },
  ],
  ['sortBy', { loop: 'sortBy', forms: [[1, 2]] }],
])

/**
 * The construct that a call stands for; a call that is none stays as it is.
 * @throws CelError `CEL_SYNTAX` for arguments that are not what the macro takes
 */
export function expandMacro(call: Call, source: string): Expr {
  const { name, receiver, args, at } = call
  if (receiver === undefined) return name === 'has' && args.length === 1 ? presence(call, source) : call
  if (receiver.kind === 'name' && receiver.name === 'cel' && name === 'bind' && args.length === 3) {
    const [variable, value, body] = args
    if (variable !== undefined && value !== undefined && body !== undefined)
      return { kind: 'bind', name: nameIn(variable, source), value, body, at }
  }
  if (receiver.kind === 'name' && receiver.name === 'math' && (name === 'least' || name === 'greatest'))
    return extreme(call, source)
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
    const [variable, body] = args
    if (variable !== undefined && body !== undefined) {
      const flat = name === 'optFlatMap'
      return { kind: 'optional-map', operand: receiver, name: nameIn(variable, source), body, flat, at }
    }
  }
  return loopOf(call, receiver, source) ?? call
}

function presence({ args: [operand], at }: Call, source: string): Expr {
  if (operand?.kind === 'select' && !operand.optional)
    return { kind: 'has', operand: operand.operand, field: operand.field, at }
  throw new CelError('CEL_SYNTAX', 'invalid argument to has()', {
    expected: 'a field, such as has(object.metadata.labels)',
    found: placeOf(source, at),
  })
}

function loopOf({ name, args, at }: Call, range: Expr, source: string): Expr | undefined {
  const known = LOOPS.get(name)
  const form = known?.forms.find(([, count]) => count === args.length)
  if (known === undefined || form === undefined) return undefined
  const [count] = form
  const [first, second] = args
  const body = args.at(-1)
  const filter = args.length === count + 2 ? args[count] : undefined
  if (first === undefined || second === undefined || body === undefined) return undefined
  const names =
    count === 1 ? ([nameIn(first, source)] as const) : ([nameIn(first, source), nameIn(second, source)] as const)
  if (names[0] === names[1]) {
    throw new CelError('CEL_SYNTAX', 'two variables of a loop have the same name', {
      found: placeOf(source, second.at),
    })
  }
  return { kind: 'loop', loop: known.loop, range, names, filter, body, at }
}

function nameIn(expr: Expr, source: string): string {
  if (expr.kind === 'name') return expr.name
  throw new CelError('CEL_SYNTAX', 'argument must be a simple name', { found: placeOf(source, expr.at) })
}

/** `math.least` and `math.greatest` take any number of arguments, or one list of them. */
function extreme(call: Call, source: string): Expr {
  const { args, at } = call
  const name = call.name === 'least' ? 'math.@min' : 'math.@max'
  const [only] = args
  if (only === undefined) throw notNumeric(`math.${call.name}() requires at least one argument`, at)
  const listed = args.length === 1 && only.kind === 'list' ? only.elements : args
  for (const each of listed) if (!mayBeNumber(each)) throw notNumeric(`math.${call.name}() takes numbers`, each.at)
  if (listed.length === 0) throw notNumeric(`math.${call.name}() requires at least one argument`, at)
  const one = args.length > 2 ? [{ kind: 'list', elements: args, optional: new Set<number>(), at } as const] : args
  return { kind: 'call', name, receiver: undefined, args: one, at }

  function notNumeric(message: string, place: number): CelError {
    return new CelError('CEL_SYNTAX', message, { found: placeOf(source, place) })
  }
}

function mayBeNumber(expr: Expr): boolean {
  if (expr.kind === 'list' || expr.kind === 'map') return false
  if (expr.kind !== 'literal') return true
  const { value } = expr
  const isBytes = value instanceof Uint8Array
  return (
    typeof value === 'bigint' || typeof value === 'number' || (typeof value === 'object' && value !== null && !isBytes)
  )
}
