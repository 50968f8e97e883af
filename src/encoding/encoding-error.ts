/** What can be wrong with encoded input. @module */
import { CodedError } from '#errors'

export type EncodingErrorCode =
  /** A binary structure ends too early. */
  | 'BYTES_TRUNCATED'
  /** Bytes follow where a binary structure ends. */
  | 'BYTES_TRAILING'
  /** A text is not base64 in the one form that is accepted there. */
  | 'BASE64'
  /** A text is not pairs of hexadecimal digits. */
  | 'HEX'
  /** Bytes are not UTF-8 text. */
  | 'UTF8'
  /** A text is not JSON, or is nested too deeply. */
  | 'JSON'
  /** A value has no canonical JSON form. */
  | 'JCS'
  /** A text holds no whole PEM block, or a broken one. */
  | 'PEM_MALFORMED'

/** Input is not what its encoding allows. */
export class EncodingError extends CodedError<EncodingErrorCode> {
  override readonly name = 'EncodingError'
}
