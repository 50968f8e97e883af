/** Why a signing configuration was refused, or has no service to offer. @module */
import { CodedError } from '#errors'

/** Codes of {@link SigningConfigError}. */
export type SigningConfigErrorCode =
  'SIGNING_CONFIG_MALFORMED' | 'SIGNING_CONFIG_MEDIA_TYPE' | 'SIGNING_CONFIG_SELECTOR' | 'SIGNING_CONFIG_NO_SERVICE'

/** A signing configuration that cannot be used. */
export class SigningConfigError extends CodedError<SigningConfigErrorCode> {
  override readonly name = 'SigningConfigError'
}
