/** Whether a rule is about an image. @module */
import { compilePattern } from '#verify/pattern/pattern'
import type { Pattern } from '#verify/pattern/pattern'
import type { ImageSelection, ImageSelector, NamedImage, PinnedImage } from '../internal/image.js'
import { globPattern } from '../internal/glob.js'
import { wildcardPattern } from '../internal/wildcard.js'
import { allForms, fullForms, skipForms } from '../internal/image-forms.js'

/** What a rule does with an image. */
export type Selected = 'selected' | 'skipped' | 'not selected'

/** Applies a selection; what is skipped by the policy's own words is told apart from what it is not about. */
export function selectImage(selection: ImageSelection, image: NamedImage, pinned: PinnedImage | undefined): Selected {
  if (!selection.include.some((selector) => selects(selector, image, pinned))) return 'not selected'
  return selection.skip.some((selector) => skips(selector, image, pinned)) ? 'skipped' : 'selected'
}

function skips(selector: ImageSelector, image: NamedImage, pinned: PinnedImage | undefined): boolean {
  if (selector.kind === 'expression') return selector.selects(image, pinned)
  return skipForms(image).some((form) => compiled(selector).matches(form))
}

function selects(selector: ImageSelector, image: NamedImage, pinned: PinnedImage | undefined): boolean {
  if (selector.kind === 'expression') return selector.selects(image, pinned)
  const pattern = compiled(selector)
  // A glob is tried on the full names first and then, as the original does, on what was written.
  const forms = selector.kind === 'cip-glob' ? [...fullForms(image, pinned), image.text] : allForms(image, pinned)
  return forms.some((form) => pattern.matches(form))
}

const patterns = new WeakMap<ImageSelector, Pattern>()

function compiled(selector: Exclude<ImageSelector, { readonly kind: 'expression' }>): Pattern {
  const known = patterns.get(selector)
  if (known !== undefined) return known
  const source = selector.kind === 'cip-glob' ? globPattern(selector.glob) : wildcardPattern(selector.pattern)
  const pattern = compilePattern(source)
  patterns.set(selector, pattern)
  return pattern
}
