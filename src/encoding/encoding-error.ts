/** What can be wrong with encoded input. @module */
import { CodedError } from '#errors'

export type EncodingErrorCode =
  | 'BYTES_TRUNCATED'
  | 'BYTES_TRAILING'
  | 'BASE64'
  | 'HEX'
  | 'UTF8'
  | 'JSON'
  | 'JCS'
  | 'PEM_MALFORMED'

/** Input is not what its encoding allows. */
export class EncodingError extends CodedError<EncodingErrorCode> {
  override readonly name = 'EncodingError'
}
