/** What a resource calls an image, read; and where it says so. @module */
import { isCodedError } from '#errors'
import { parseReference } from '#formats/oci/reference'
import type { Reference } from '#formats/oci/reference'
import type { ImageOccurrence, NamedImage } from './image.js'
import type { ImagePlace } from './pod-images.js'
import { PolicyError } from './policy-error.js'

/** Longer names are nobody's; the parsers below need not see them. */
const MAX_NAME = 1024

/**
 * Reads what a resource calls an image.
 * @throws PolicyError `POLICY_IMAGE`
 */
export function readImageName(text: string): NamedImage {
  if (text === '' || text.length > MAX_NAME) throw noImage(text)
  try {
    const reference: Reference = parseReference(text)
    const parts = [reference.registry, ...reference.repository.split('/')]
    // `ghcr.io/acme/../evil` is selected as Acme's and asked for as Evil's: addresses are resolved, names are not.
    if (parts.some((part) => /^\.+$/.test(part))) throw noImage(text)
    return { text, reference }
  } catch (error) {
    if (!isCodedError(error) || error.code === 'POLICY_IMAGE') throw error
    throw noImage(text, error)
  }
}

function noImage(text: string, cause?: Error): PolicyError {
  return new PolicyError('POLICY_IMAGE', 'could not parse reference: this names no image', {
    expected: '[registry/]repository[:tag][@sha256:<hex>]',
    found: JSON.stringify(text.slice(0, 200)),
    cause,
  })
}

export type ReadPlace = { readonly occurrence: ImageOccurrence } | { readonly error: Error }

/** Something that stands where an image should stand and names none is refused, not passed over. */
export function readPlace(place: ImageOccurrence | ImagePlace): ReadPlace {
  if ('image' in place) return { occurrence: place }
  const { value, ...rest } = place
  if (typeof value !== 'string') {
    return { error: new PolicyError('POLICY_IMAGE', 'could not parse reference: the image is not a text') }
  }
  try {
    return { occurrence: { image: readImageName(value), ...rest } }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { error }
  }
}
