/** What can be known to be wrong before an expression is evaluated: literals that are none, lists of mixed types. @module */
import { isCodedError } from '#errors'
import { compilePattern } from '#verify/pattern/pattern'
import { childrenOf } from './ast.js'
import type { Call, Expr } from './ast.js'
import { CelError, placeOf } from './cel-error.js'
import type { CheckedExpression } from './checked.js'
import { parseDuration, parseTimestamp } from './times.js'
import { formatType, sameType } from './types.js'
import type { CelType } from './types.js'

/** Functions whose argument can be read beforehand where it is a literal, by the argument's index. */
const READERS: ReadonlyMap<string, readonly [index: number, read: (text: string) => unknown]> = new Map([
  ['duration', [0, parseDuration]],
  ['timestamp', [0, parseTimestamp]],
  ['matches', [1, compilePattern]],
  ['find', [1, compilePattern]],
  ['findAll', [1, compilePattern]],
])

/** @throws CelError `CEL_TYPE` */
export function checkLiterals(checked: CheckedExpression): void {
  visit(checked.root, checked, false)
}

function visit(expr: Expr, checked: CheckedExpression, inFormat: boolean): void {
  if (expr.kind === 'call') checkCall(expr, checked)
  if (!inFormat) checkAggregate(expr, checked)
  const within = inFormat || (expr.kind === 'call' && expr.name === 'format')
  for (const child of childrenOf(expr)) visit(child, checked, within)
}

function checkCall(call: Call, checked: CheckedExpression): void {
  const [index, read] = READERS.get(call.name) ?? []
  const argument = index === undefined ? undefined : checked.resolution(call).args[index]
  if (argument?.kind !== 'literal' || typeof argument.value !== 'string' || read === undefined) return
  try {
    read(argument.value)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CelError('CEL_TYPE', `invalid ${call.name} argument: ${cause.message}`, {
      expected: cause.expected,
      found: placeOf(checked.source, argument.at),
      cause,
    })
  }
}

/** Elements of one literal are of one type, as Kubernetes asks for; what a text is formatted from may be mixed. */
function checkAggregate(expr: Expr, checked: CheckedExpression): void {
  if (expr.kind === 'list') checkSame(expr.elements, checked)
  if (expr.kind !== 'map') return
  checkSame(
    expr.entries.map(([key]) => key),
    checked,
  )
  checkSame(
    expr.entries.map(([, value]) => value),
    checked,
  )
}

function checkSame(exprs: readonly Expr[], checked: CheckedExpression): void {
  let expected: CelType | undefined
  for (const expr of exprs) {
    const type = checked.typeOf(expr)
    expected ??= type
    if (sameType(expected, type)) continue
    throw new CelError('CEL_TYPE', `expected type '${formatType(expected)}' but found '${formatType(type)}'`, {
      found: placeOf(checked.source, expr.at),
      hint: 'elements of a list or map are of one type; dyn(…) makes them so',
    })
  }
}
