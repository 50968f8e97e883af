/** What can be known to be wrong before an expression is evaluated: literals that are none, lists of mixed types. @module */
import { isCodedError } from '#errors'
import { compilePattern } from '#verify/pattern/pattern'
import { childrenOf } from './ast.js'
import type { Call, Expr, LiteralValue } from './ast.js'
import { CelError, placeOf } from './cel-error.js'
import type { CheckedExpression } from './checked.js'
import { parseFormat } from './format-text.js'
import { parseDuration, parseTimestamp, timestampOf } from './times.js'
import { BOOL, BYTES, DOUBLE, formatType, INT, NULL, sameType, STRING, UINT } from './types.js'
import type { CelType } from './types.js'

const textOnly =
  (read: (text: string) => unknown) =>
  (value: LiteralValue): unknown =>
    typeof value === 'string' ? read(value) : undefined

/** Functions whose argument can be read beforehand where it is a literal, by the argument's index. */
const READERS: ReadonlyMap<string, readonly [index: number, read: (value: LiteralValue) => unknown]> = new Map([
  ['duration', [0, textOnly(parseDuration)]],
  ['timestamp', [0, readTime]],
  ['matches', [1, textOnly(compilePattern)]],
  ['find', [1, textOnly(compilePattern)]],
  ['findAll', [1, textOnly(compilePattern)]],
])

function readTime(value: LiteralValue): unknown {
  if (typeof value === 'bigint') return timestampOf(value * 1_000_000_000n)
  return typeof value === 'string' ? parseTimestamp(value) : undefined
}

/** @throws CelError `CEL_TYPE` */
export function checkLiterals(checked: CheckedExpression): void {
  visit(checked.root, checked, false)
}

function visit(expr: Expr, checked: CheckedExpression, inFormat: boolean): void {
  if (expr.kind === 'call') {
    checkCall(expr, checked)
    if (expr.name === 'format') checkFormat(expr, checked)
  }
  if (!inFormat) checkAggregate(expr, checked)
  const within = inFormat || (expr.kind === 'call' && expr.name === 'format')
  for (const child of childrenOf(expr)) visit(child, checked, within)
}

function checkCall(call: Call, checked: CheckedExpression): void {
  const [index, read] = READERS.get(call.name) ?? []
  const argument = index === undefined ? undefined : checked.resolution(call).args[index]
  if (argument?.kind !== 'literal' || read === undefined) return
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
  if (expr.kind === 'list') checkSame(expr.elements, expr.optional, checked)
  if (expr.kind !== 'map') return
  const [keys, values] = [expr.entries.map(([key]) => key), expr.entries.map(([, value]) => value)]
  checkSame(keys, new Set(), checked)
  checkSame(values, expr.optional, checked)
}

function checkSame(exprs: readonly Expr[], optional: ReadonlySet<number>, checked: CheckedExpression): void {
  let expected: CelType | undefined
  for (const [index, expr] of exprs.entries()) {
    const whole = checked.typeOf(expr)
    const type = optional.has(index) && whole.kind === 'optional' ? whole.of[0] : whole
    expected ??= type
    if (sameType(expected, type)) continue
    throw new CelError('CEL_TYPE', `expected type '${formatType(expected)}' but found '${formatType(type)}'`, {
      found: placeOf(checked.source, expr.at),
      hint: 'elements of a list or map are of one type; dyn(…) makes them so',
    })
  }
}

/** Types that a clause of a format takes. */
const CLAUSES: Readonly<Record<string, readonly string[]>> = {
  d: ['int', 'uint'],
  o: ['int', 'uint'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
  f: ['double', 'string'],
  e: ['double', 'string'],
}

/** A format and its values, where both are written out: there are as many of the one as of the other, and they fit. */
function checkFormat(call: Call, checked: CheckedExpression): void {
  const [format, values] = checked.resolution(call).args
  if (format?.kind !== 'literal' || typeof format.value !== 'string' || values?.kind !== 'list') return
  const wrong = (message: string, at: number, cause?: unknown): CelError =>
    new CelError('CEL_TYPE', message, { found: placeOf(checked.source, at), cause })
  let letters: readonly string[]
  try {
    letters = parseFormat(format.value).flatMap((part) => (typeof part === 'string' ? [] : [part.letter]))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw wrong(cause.message, format.at, cause)
  }
  if (letters.length !== values.elements.length) {
    const counts = `expected ${String(letters.length)}, got ${String(values.elements.length)}`
    throw wrong(`a format does not have a clause for each value (${counts})`, call.at)
  }
  for (const [index, value] of values.elements.entries()) {
    const letter = letters[index] ?? ''
    const misfit = misfitOf(value, letter, checked)
    if (misfit !== undefined) {
      const type = formatType(checked.typeOf(misfit))
      throw wrong(`%${letter} cannot format a value of type '${type}'`, misfit.at)
    }
  }
}

/** What of a value a clause does not take. */
function misfitOf(value: Expr, letter: string, checked: CheckedExpression): Expr | undefined {
  const type = checked.typeOf(value)
  if (type.kind === 'dyn') return undefined
  const taken = CLAUSES[letter]
  if (taken !== undefined) return type.kind === 'scalar' && taken.includes(type.name) ? undefined : value
  if (type.kind === 'optional' || type.kind === 'opaque' || type.kind === 'object') return value
  const parts = value.kind === 'list' ? value.elements : value.kind === 'map' ? value.entries.flat() : []
  return parts.map((part) => misfitOf(part, letter, checked)).find((part) => part !== undefined)
}

export function literalType(value: LiteralValue): CelType {
  if (value === null) return NULL
  if (typeof value === 'boolean') return BOOL
  if (typeof value === 'bigint') return INT
  if (typeof value === 'number') return DOUBLE
  if (typeof value === 'string') return STRING
  return value instanceof Uint8Array ? BYTES : UINT
}
