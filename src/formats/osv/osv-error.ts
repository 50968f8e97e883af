/** Why a vulnerability record cannot be read. @module */
import { CodedError } from '#errors'

export type OsvErrorCode =
  /** A record is not JSON, or a field of it is missing or of another type than the OSV schema says. */
  | 'OSV_MALFORMED'
  /** A record follows a version of the OSV schema that is not read here. */
  | 'OSV_VERSION'

/** A record that cannot be read. Whoever asks with it has an incomplete answer. */
export class OsvError extends CodedError<OsvErrorCode> {
  override readonly name = 'OsvError'
}
