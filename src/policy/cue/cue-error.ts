/** What can be wrong with a CUE policy, or with what it judges. @module */
import { CodedError } from '#errors'

export type CueErrorCode =
  /** A CUE text does not follow the grammar. */
  | 'CUE_SYNTAX'
  /** A CUE text uses a construct that this evaluator does not have. */
  | 'CUE_UNSUPPORTED'
  /** A CUE text refers to something that is not there. */
  | 'CUE_REFERENCE'
  /** A CUE policy contradicts itself, whatever it is given. */
  | 'CUE_CONTRADICTION'
  /** The input does not satisfy the CUE policy. */
  | 'CUE_REJECTED'
  /** Judging would take more steps or depth than is allowed. */
  | 'CUE_LIMIT'

/** A CUE policy cannot be used, or does not hold. */
export class CueError extends CodedError<CueErrorCode> {
  override readonly name = 'CueError'
}

/** A construct that is refused when the policy is loaded, by its name and line. */
export function unsupported(construct: string, line: number): CueError {
  return new CueError('CUE_UNSUPPORTED', `line ${String(line)}: ${construct} is not supported in CUE policies here`, {
    found: construct,
    hint: 'docs/policies.md lists what is',
  })
}
