/** Why an OpenVEX document cannot be read. @module */
import { CodedError } from '#errors'

export type VexErrorCode =
  /** What was attested is no OpenVEX document. */
  | 'VEX_FORMAT'
  /** A version of OpenVEX that is not read here. */
  | 'VEX_VERSION'
  /** A field of an OpenVEX document is missing, of another type, or contradicts the specification. */
  | 'VEX_MALFORMED'

/** A document that cannot be read excuses nothing. */
export class VexError extends CodedError<VexErrorCode> {
  override readonly name = 'VexError'
}
