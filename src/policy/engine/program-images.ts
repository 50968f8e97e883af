/** The images that a program is about: found, selected, looked up, and named by digest where that is asked for. @module */
import type { ImageOccurrence, NamedImage, PinnedImage } from '../internal/image.js'
import type { ImagePlace } from '../internal/pod-images.js'
import { ImageForms } from '../internal/image-forms.js'
import type { ImageSelection, ImageSelector } from '../internal/image.js'
import type { ReviewProgram } from '../internal/policy.js'
import type { ReviewImages } from '../internal/review-images.js'
import { selectImage } from './select-images.js'
import type { Session } from './session.js'

/** An image that is selected, and what its name stands for. */
export interface SelectedImage {
  readonly occurrence: ImageOccurrence
  readonly pinned: PinnedImage
}

/** Where a program looks for images. @throws what says that this cannot be said */
export async function programPlaces(
  { extract }: ReviewProgram,
  { review, places }: ReviewImages,
  session: Session,
): Promise<readonly (ImageOccurrence | ImagePlace)[]> {
  if (extract === undefined) return places
  const own = await extract.images(review, session.circumstances)
  return [...places.filter(({ group }) => !extract.groups.has(group)), ...own]
}

/** The images of these places that the program selects. @throws for a name that cannot be read or looked up */
export async function selectedImages(
  { images }: ReviewProgram,
  places: readonly (ImageOccurrence | ImagePlace)[],
  session: Session,
): Promise<readonly SelectedImage[]> {
  const found = await Promise.all(
    places.map(async (place) => {
      const read = session.images.read(place)
      if ('error' in read) throw read.error
      const { occurrence } = read
      if (!(await isSelected(images, occurrence.image, session))) return []
      return [{ occurrence, pinned: await session.resolve(occurrence.image) }]
    }),
  )
  return found.flat()
}

/** Names are tried before the digest is known: an image that no policy is about need not exist. */
export async function isSelected(images: ImageSelection, image: NamedImage, session: Session): Promise<boolean> {
  if ((await session.inTurn(() => selectImage(images, session.images.forms(image)))) === 'selected') return true
  if (image.reference.kind === 'digest' || !images.include.some(mayNameDigest)) return false
  const pinned = await session.resolve(image)
  return (await session.inTurn(() => selectImage(images, new ImageForms(image, pinned)))) === 'selected'
}

function mayNameDigest(selector: ImageSelector): boolean {
  if (selector.kind === 'expression') return selector.digestDecides !== 'nothing'
  return (selector.kind === 'cip-glob' ? selector.glob : selector.pattern).includes('@')
}
