/** What Kyverno's messages call an image, and what its variables `image` and `images` know of one. @module */
import type { JsonObject } from '#encoding/json'
import type { ImageOccurrence, NamedImage } from '../internal/image.js'
import { imageInfo } from '../jmespath/image-info.js'

/** How messages name the image. */
export function imageText(occurrence: ImageOccurrence): string {
  const { reference } = occurrence.image
  return reference.registry === '' ? occurrence.image.text : imageInfo(occurrence.image).reference
}

/** The variable `image`. */
export function imageVariable(image: NamedImage): JsonObject {
  return { ...imageInfo(image) }
}

/** One entry of the variable `images`: what is not known is not there. */
export function imageEntry({ image, pointer }: ImageOccurrence): JsonObject {
  const known = Object.entries(imageInfo(image)).filter((entry): entry is [string, string] => entry[1] !== '')
  return { ...Object.fromEntries(known), jsonPointer: pointer }
}
