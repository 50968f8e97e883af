/** What a verifying command concludes when nothing could be accepted. @module */
import { CodedError, type ErrorDetail } from '#errors'

export type VerdictErrorCode =
  | 'VERDICT_NO_SIGNATURE'
  | 'VERDICT_NO_ATTESTATION'
  | 'VERDICT_TAG_NOT_FOUND'
  | 'VERDICT_NO_MATCH'
  | 'VERDICT_NO_CERTIFICATE'

/** Nothing was accepted; `report` tells for each thing that was looked at why not. */
export class VerdictError extends CodedError<VerdictErrorCode> {
  override readonly name = 'VerdictError'
  readonly report: unknown

  constructor(code: VerdictErrorCode, message: string, detail: ErrorDetail & { readonly report?: unknown } = {}) {
    super(code, message, detail)
    this.report = detail.report
  }
}
