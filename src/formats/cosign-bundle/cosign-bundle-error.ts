/** Why an old bundle of cosign was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link CosignBundleError}. */
export type CosignBundleErrorCode = 'COSIGN_BUNDLE_MALFORMED' | 'COSIGN_BUNDLE_CERTIFICATE'

/** An old bundle that cannot be used. */
export class CosignBundleError extends CodedError<CosignBundleErrorCode> {
  override readonly name = 'CosignBundleError'
}
