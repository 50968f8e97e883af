/** What can be wrong with a JMESPath expression, a variable or a condition of a Kyverno policy. @module */
import { CodedError } from '#errors'

export type JmesPathErrorCode =
  /** A JMESPath expression or a text with variables does not follow the grammar. */
  | 'JMESPATH_SYNTAX'
  /** A JMESPath expression uses a function or a construct that this evaluator does not have. */
  | 'JMESPATH_UNSUPPORTED'
  /** A function of a JMESPath expression was given a value that it does not take. */
  | 'JMESPATH_EVALUATION'
  /** A variable stands for something that is not there. */
  | 'JMESPATH_UNRESOLVED'
  /** An expression or what it makes is larger, deeper or slower than is allowed. */
  | 'JMESPATH_LIMIT'
  /** A condition of a policy has another form than key, operator and value, or an operator that does not exist. */
  | 'JMESPATH_CONDITION'

/** An expression, variable or condition cannot be used, or not on what it was given. */
export class JmesPathError extends CodedError<JmesPathErrorCode> {
  override readonly name = 'JmesPathError'
}

/** A function was given a value that it does not take. */
export function evaluationError(message: string, detail?: { expected?: string; found?: string }): JmesPathError {
  return new JmesPathError('JMESPATH_EVALUATION', message, detail)
}
