/** Why a trusted root was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link TrustedRootError}. */
export type TrustedRootErrorCode =
  | 'TRUSTED_ROOT_MALFORMED'
  | 'TRUSTED_ROOT_MEDIA_TYPE'
  | 'TRUSTED_ROOT_KEY'
  | 'TRUSTED_ROOT_CERTIFICATE'
  | 'TRUSTED_ROOT_VALIDITY'

/** A trusted root that cannot be used. */
export class TrustedRootError extends CodedError<TrustedRootErrorCode> {
  override readonly name = 'TrustedRootError'
}
