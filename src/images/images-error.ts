/** What can be wrong with what is attached to an image. @module */
import { CodedError } from '#errors'

export type ImagesErrorCode =
  | 'IMAGES_LAYER_LIMIT'
  | 'IMAGES_SIGNATURE_LAYER'
  | 'IMAGES_ATTESTATION_LAYER'
  | 'IMAGES_REFERRER'
  | 'IMAGES_CONTENDED'
  | 'IMAGES_LAYOUT'

/** Something attached to an image cannot be read or written. */
export class ImagesError extends CodedError<ImagesErrorCode> {
  override readonly name = 'ImagesError'
}
