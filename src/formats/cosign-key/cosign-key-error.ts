/** Why a private key file was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link CosignKeyError}. */
export type CosignKeyErrorCode =
  'COSIGN_KEY_MALFORMED' | 'COSIGN_KEY_LABEL' | 'COSIGN_KEY_PARAMETERS' | 'COSIGN_KEY_PASSWORD'

/** A key file that is not cosign's, or does not open. */
export class CosignKeyError extends CodedError<CosignKeyErrorCode> {
  override readonly name = 'CosignKeyError'
}
