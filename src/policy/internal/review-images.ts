/** The images of one review: found, read and spelled out once, however many policies ask. @module */
import { ImageForms } from './image-forms.js'
import { readPlace } from './image-name.js'
import type { ReadPlace } from './image-name.js'
import type { ImageOccurrence, NamedImage } from './image.js'
import { imagesOf } from './pod-images.js'
import type { ImagePlace } from './pod-images.js'
import type { Review } from './review.js'

export class ReviewImages {
  readonly review: Review
  readonly #read = new Map<ImagePlace, ReadPlace>()
  readonly #forms = new Map<NamedImage, ImageForms>()
  #places: readonly ImagePlace[] | undefined

  constructor(review: Review) {
    this.review = review
  }

  /** Every place of the resource that names an image. */
  get places(): readonly ImagePlace[] {
    return (this.#places ??= imagesOf(this.review))
  }

  /** What a place says: one of these, or one that a policy found by itself. */
  read(place: ImageOccurrence | ImagePlace): ReadPlace {
    if ('image' in place) return { occurrence: place }
    const known = this.#read.get(place)
    if (known !== undefined) return known
    const read = readPlace(place)
    this.#read.set(place, read)
    return read
  }

  /** The texts by which an image can be selected, as long as nobody has looked up its digest. */
  forms(image: NamedImage): ImageForms {
    const known = this.#forms.get(image)
    if (known !== undefined) return known
    const forms = new ImageForms(image, undefined)
    this.#forms.set(image, forms)
    return forms
  }
}
