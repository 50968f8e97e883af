/** What can be wrong with a Rego policy. @module */
import { CodedError } from '#errors'

export type RegoErrorCode =
  /** A Rego text does not follow the grammar. */
  | 'REGO_SYNTAX'
  /** A Rego text uses a construct or a function that this evaluator does not have. */
  | 'REGO_UNSUPPORTED'
  /** A Rego text calls what is not there, or declares a name twice or after its use. */
  | 'REGO_REFERENCE'
  /** A Rego variable is used that nothing gives a value. */
  | 'REGO_UNSAFE_VAR'
  /** A Rego rule depends on itself. */
  | 'REGO_RECURSION'
  /** A Rego expression can never hold, since the types do not fit. */
  | 'REGO_TYPE'
  /** Rules of one name are of different kinds, or give different values for the same input. */
  | 'REGO_CONFLICT'
  /** Judging would take more steps, depth or digits than are allowed. */
  | 'REGO_LIMIT'

/** A Rego policy cannot be used, or its rules contradict each other. */
export class RegoError extends CodedError<RegoErrorCode> {
  override readonly name = 'RegoError'
}

/** A construct that is refused, by its name and line. */
export function unsupported(construct: string, line: number): RegoError {
  return new RegoError(
    'REGO_UNSUPPORTED',
    `line ${String(line)}: ${construct} is not supported in Rego policies here`,
    {
      found: construct,
      hint: 'docs/policies.md lists what is',
    },
  )
}

/** A fault of the text, with its line. */
export function fault(code: RegoErrorCode, line: number, message: string): RegoError {
  return new RegoError(code, `line ${String(line)}: ${message}`)
}
