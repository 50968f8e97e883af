/** Names of images in parts, and what a registry says of images. @module */
import { isCodedError } from '#errors'
import type { Reference } from '#formats/oci/reference'
import { evaluationError } from '../../cel/cel-error.js'
import { free, member } from '../../cel/environment.js'
import type { Library, Overload } from '../../cel/environment.js'
import { bool, dyn, opaqueKind, string } from '../../cel/kind.js'
import type { CelType } from '../../cel/types.js'
import { Opaque } from '../../cel/values.js'
import { readImageName } from '../../internal/image-name.js'
import { Namespace } from '../contexts.js'
import { imageDataOf } from './verification.js'

class Image extends Opaque {
  override readonly typeName = 'kyverno.image'
  readonly reference: Reference

  constructor(reference: Reference) {
    super()
    this.reference = reference
  }

  override equals(other: Opaque): boolean {
    return other instanceof Image && JSON.stringify(other.reference) === JSON.stringify(this.reference)
  }
}

const image = opaqueKind('kyverno.image', Image)

function read(text: string): Reference | undefined {
  try {
    return readImageName(text).reference
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}

const parse: readonly Overload[] = [
  free([string], image, ([text]) => {
    const reference = read(text)
    if (reference !== undefined) return new Image(reference)
    throw evaluationError(`could not parse reference: ${text.slice(0, 200)}`)
  }),
]

function part(of: (reference: Reference) => string): readonly Overload[] {
  return [member([image], string, ([{ reference }]) => of(reference))]
}

const digest = (reference: Reference): string => (reference.kind === 'digest' ? reference.digest : '')
/** A tag before a digest decides nothing, and is none. */
const tag = (reference: Reference): string => (reference.kind === 'digest' ? '' : reference.tag)

export const IMAGES: Library = {
  image: parse,
  parseImageReference: parse,
  isImage: [free([string], bool, ([text]) => read(text) !== undefined)],
  containsDigest: [member([image], bool, ([{ reference }]) => reference.kind === 'digest')],
  registry: part(({ registry }) => registry),
  repository: part(({ repository }) => repository),
  identifier: part((reference) => digest(reference) || tag(reference)),
  tag: part(tag),
  digest: part(digest),
}

const context = opaqueKind('imagedata.Context', Namespace)
const metadata: readonly Overload[] = [member([context, string], dyn, ([, text], world) => imageDataOf(text, world))]

export const IMAGE_DATA: Library = { GetMetadata: metadata, getMetadata: metadata }

/** `image`, the variable. */
export const IMAGE_DATA_CONTEXT: { readonly type: CelType; readonly value: Namespace } = {
  type: context.type,
  value: new Namespace('imagedata.Context'),
}
