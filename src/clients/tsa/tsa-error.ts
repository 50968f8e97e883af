/** What can go wrong between a signer and a timestamp authority. @module */
import { CodedError } from '#errors'

export type TsaErrorCode = 'TSA_REFUSED' | 'TSA_UNAVAILABLE' | 'TSA_RESPONSE' | 'TSA_MISMATCH'

/** No timestamp was given, or it is one for something else. */
export class TsaError extends CodedError<TsaErrorCode> {
  override readonly name = 'TsaError'
}
