/** Why an image reference, digest or manifest was refused. @module */
import { CodedError } from '#errors'

/** Codes of {@link OciError}. */
export type OciErrorCode = 'OCI_REFERENCE' | 'OCI_DIGEST' | 'OCI_MANIFEST' | 'OCI_MEDIA_TYPE'

/** Something that is not what the OCI specifications, or go-containerregistry, take for it. */
export class OciError extends CodedError<OciErrorCode> {
  override readonly name = 'OciError'
}
