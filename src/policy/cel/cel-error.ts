/** What can be wrong with a CEL expression, and with evaluating one. @module */
import { CodedError } from '#errors'
import type { ErrorDetail } from '#errors'

export type CelErrorCode =
  /** A CEL expression does not follow the grammar. */
  | 'CEL_SYNTAX'
  /** A CEL expression uses a name, a function or a field that there is not, or has another type than is needed. */
  | 'CEL_TYPE'
  /** A CEL expression uses something that is understood but deliberately not supported. */
  | 'CEL_UNSUPPORTED'
  /** A CEL expression cannot be evaluated on what it was given: a key that is not there, a division by zero, an overflow. */
  | 'CEL_EVALUATION'
  /** A CEL expression, or what it makes, is larger, deeper or slower than is allowed. */
  | 'CEL_LIMIT'

/** An expression cannot be used, or not on what it was given. */
export class CelError extends CodedError<CelErrorCode> {
  override readonly name = 'CelError'
}

/** Evaluating failed; `&&`, `||` and their kin may still have a result without this part. */
export function evaluationError(message: string, detail?: ErrorDetail): CelError {
  return new CelError('CEL_EVALUATION', message, detail)
}

/** No overload takes values of these types. */
export function noSuchOverload(name: string, types: readonly string[]): CelError {
  return evaluationError(`no such overload: ${name}(${types.join(', ')})`)
}

/** The line, the column and the text around a place of an expression, for messages. */
export function placeOf(source: string, at: number): string {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  const column = [...before.slice(before.lastIndexOf('\n') + 1)].length + 1
  const end = source.indexOf('\n', at)
  const excerpt = source.slice(at, end < 0 ? undefined : end).slice(0, 60)
  return `line ${String(line)}, column ${String(column)}: ${excerpt}`
}
