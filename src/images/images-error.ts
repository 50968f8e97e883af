/** What can be wrong with what is attached to an image. @module */
import { CodedError } from '#errors'

export type ImagesErrorCode =
  /** More layers (signatures, attestations) hang on the image than are read or written; 1000 as in cosign. */
  | 'IMAGES_LAYER_LIMIT'
  /** A layer of a `.sig` image is not a signature. */
  | 'IMAGES_SIGNATURE_LAYER'
  /** A layer of an `.att` image is not an attestation. */
  | 'IMAGES_ATTESTATION_LAYER'
  /** The tag that lists an image's referrers holds something that is no such list, and is not overwritten. */
  | 'IMAGES_REFERRER'
  /** Others kept overwriting the tag: the signature was made, but could not be added to the image. */
  | 'IMAGES_CONTENDED'
  /** Something else is there already, and it was not said that it may be replaced. */
  | 'IMAGES_EXISTS'
  /** In a multi-arch image there is no image for the platform, or more than one; or the image is none of many. */
  | 'IMAGES_PLATFORM'
  /** A file of a layout cannot be read or written. */
  | 'IMAGES_FILE'
  /** A tag, an index or a directory is not laid out as an image with attachments is. */
  | 'IMAGES_LAYOUT'
  /** What is to be attached to an image is about another one, or of a form that is about none. */
  | 'IMAGES_SUBJECT'
  /** What was attached to an image is not found there again: somebody removed it, or the registry does not list it. */
  | 'IMAGES_UNCONFIRMED'

/** Something attached to an image cannot be read or written. */
export class ImagesError extends CodedError<ImagesErrorCode> {
  override readonly name = 'ImagesError'
}
