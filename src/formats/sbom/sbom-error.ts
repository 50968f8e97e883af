/** Why a software bill of materials cannot be read. @module */
import { CodedError } from '#errors'

export type SbomErrorCode =
  /** What was attested is no bill of materials of a format that is read here: CycloneDX JSON, SPDX JSON, SPDX tag-value. */
  | 'SBOM_FORMAT'
  /** A version of its format that is not read here. */
  | 'SBOM_VERSION'
  /** A field of a bill of materials is missing or of another type than its format says. */
  | 'SBOM_MALFORMED'
  /** A bill of materials has more components, or longer texts, than are read. */
  | 'SBOM_LIMIT'

/** A bill of materials that cannot be read as a whole is not read at all: what it leaves out would pass for absent. */
export class SbomError extends CodedError<SbomErrorCode> {
  override readonly name = 'SbomError'
}
