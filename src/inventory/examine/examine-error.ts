/** Why an attestation counts for nothing, besides what its verification says. @module */
import { CodedError } from '#errors'

export type ExamineErrorCode =
  /** An OpenVEX document, and nobody was named whose word excuses a vulnerability. */
  | 'EXAMINE_VEX_UNTRUSTED'
  /** A signature and no statement about anything. */
  | 'EXAMINE_NOT_STATEMENT'
  /** What is attached at one place is larger altogether than is read at once. */
  | 'EXAMINE_FETCH_LIMIT'

/** Something attached that is left out. */
export class ExamineError extends CodedError<ExamineErrorCode> {
  override readonly name = 'ExamineError'
}
