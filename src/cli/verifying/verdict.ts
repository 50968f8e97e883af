/** What a verifying command concludes when nothing could be accepted. @module */
import { CodedError, type ErrorDetail } from '#errors'

export type VerdictErrorCode =
  /** Nothing that could be a signature is attached to the image (exit code 10). */
  | 'VERDICT_NO_SIGNATURE'
  /** No attestation is attached to the image (exit code 10). */
  | 'VERDICT_NO_ATTESTATION'
  /** There is no such tag (exit code 11). */
  | 'VERDICT_TAG_NOT_FOUND'
  /** Something is attached, and none of it is acceptable (exit code 12). */
  | 'VERDICT_NO_MATCH'
  /** Only signatures with keys are attached, and an identity was asked for (exit code 13). */
  | 'VERDICT_NO_CERTIFICATE'
  /** An attestation is acceptable by its signature and does not satisfy a policy on what it says. */
  | 'VERDICT_POLICY'

/** Nothing was accepted; `report` tells for each thing that was looked at why not. */
export class VerdictError extends CodedError<VerdictErrorCode> {
  override readonly name = 'VerdictError'
  readonly report: unknown

  constructor(code: VerdictErrorCode, message: string, detail: ErrorDetail & { readonly report?: unknown } = {}) {
    super(code, message, detail)
    this.report = detail.report
  }
}
