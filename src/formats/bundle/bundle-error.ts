/** Why a bundle was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link BundleError}. */
export type BundleErrorCode =
  | 'BUNDLE_MALFORMED'
  | 'BUNDLE_MEDIA_TYPE'
  | 'BUNDLE_CONTENT'
  | 'BUNDLE_KEY_MATERIAL'
  | 'BUNDLE_CERTIFICATE_CHAIN'
  | 'BUNDLE_INCLUSION_PROMISE'
  | 'BUNDLE_INCLUSION_PROOF'
  | 'BUNDLE_TOO_MANY'

/** Something that is not a Sigstore bundle, or breaks the rules of its version. */
export class BundleError extends CodedError<BundleErrorCode> {
  override readonly name = 'BundleError'
}
