/** Why a text is no package URL. @module */
import { CodedError } from '#errors'

export type PurlErrorCode =
  /** A text does not have the parts of a package URL, or a part has what it may not have. */
  | 'PURL_MALFORMED'
  /** A package URL breaks a rule of its type, such as a Swift package without a namespace. */
  | 'PURL_TYPE'

/** Something that is not a package URL. */
export class PurlError extends CodedError<PurlErrorCode> {
  override readonly name = 'PurlError'
}
