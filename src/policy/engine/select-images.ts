/** Whether a rule is about an image. @module */
import { compilePattern } from '#verify/pattern/pattern'
import type { Pattern } from '#verify/pattern/pattern'
import type { ImageSelection, ImageSelector } from '../internal/image.js'
import { globPattern } from '../internal/glob.js'
import { wildcardPattern } from '../internal/wildcard.js'
import type { ImageForms } from '../internal/image-forms.js'

/** What a rule does with an image. */
export type Selected = 'selected' | 'skipped' | 'not selected'

/** Applies a selection; what is skipped by the policy's own words is told apart from what it is not about. */
export function selectImage({ include, skip }: ImageSelection, forms: ImageForms): Selected {
  if (!include.some((selector) => selects(selector, forms))) return 'not selected'
  return skip.some((selector) => skips(selector, forms)) ? 'skipped' : 'selected'
}

function skips(selector: ImageSelector, forms: ImageForms): boolean {
  if (selector.kind === 'expression') return selector.selects(forms.image, forms.pinned)
  return forms.skip.some((form) => compiled(selector).matches(form))
}

function selects(selector: ImageSelector, forms: ImageForms): boolean {
  if (selector.kind === 'expression') return selector.selects(forms.image, forms.pinned)
  const pattern = compiled(selector)
  if (selector.kind === 'wildcard') return forms.all.some((form) => pattern.matches(form))
  // A glob is tried on the full names first and then, as the original does, on what was written.
  return forms.full.some((form) => pattern.matches(form)) || pattern.matches(forms.image.text)
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
