/**
 * The codes with which a verification is refused, and the error that carries the report of every check.
 *
 * @module
 */
import { CodedError } from '#errors'
import type { ErrorDetail } from '#errors'
import type { Report } from './report.js'

/** Why a verification was refused. The report beside it says where in the order of checks that was. */
export type VerificationErrorCode =
  | 'VERIFY_POLICY'
  | 'VERIFY_REQUIREMENTS'
  | 'VERIFY_PATTERN'
  | 'VERIFY_ENTITY'
  | 'VERIFY_LIMIT'
  | 'VERIFY_KEY_EXPECTED'
  | 'VERIFY_CERTIFICATE_EXPECTED'
  | 'VERIFY_KEY_VALIDITY'
  | 'VERIFY_TIMESTAMP'
  | 'VERIFY_TIMESTAMP_THRESHOLD'
  | 'VERIFY_LOG_ENTRY'
  | 'VERIFY_LOG_ENTRY_DUPLICATE'
  | 'VERIFY_LOG_ENTRY_MISMATCH'
  | 'VERIFY_LOG_KEY_VALIDITY'
  | 'VERIFY_LOG_PROMISE'
  | 'VERIFY_LOG_INCLUSION'
  | 'VERIFY_LOG_THRESHOLD'
  | 'VERIFY_CHECKPOINT'
  | 'VERIFY_TIME_MISSING'
  | 'VERIFY_CERTIFICATE'
  | 'VERIFY_CERTIFICATE_TIME'
  | 'VERIFY_CERTIFICATE_PATH'
  | 'VERIFY_SCT'
  | 'VERIFY_SCT_THRESHOLD'
  | 'VERIFY_IDENTITY'
  | 'VERIFY_ALGORITHM'
  | 'VERIFY_SIGNATURE'
  | 'VERIFY_ARTIFACT_REQUIRED'
  | 'VERIFY_ARTIFACT_MISMATCH'
  | 'VERIFY_PAYLOAD_TYPE'
  | 'VERIFY_STATEMENT'
  | 'VERIFY_SUBJECT'
  | 'VERIFY_PREDICATE_TYPE'
  | 'VERIFY_NOT_IMAGE_SIGNATURE'
  | 'VERIFY_IMAGE_DIGEST'
  | 'VERIFY_ANNOTATION'

const NO_REPORT: Report = Object.freeze([])

/**
 * A verification that did not succeed.
 *
 * `report` lists every check in order up to and including the one that failed, and those that were then not reached;
 * it is empty only where the error is about the policy, before any check began.
 */
export class VerificationError extends CodedError<VerificationErrorCode> {
  override readonly name = 'VerificationError'
  readonly report: Report

  constructor(code: VerificationErrorCode, message: string, detail: ErrorDetail & { readonly report?: Report } = {}) {
    super(code, message, detail)
    this.report = detail.report ?? NO_REPORT
  }
}
