/** The verified digest, written into the resource. @module */
import type { Reference } from '#formats/oci/reference'
import type { Pin, RuleVerdict } from './verdict.js'

/** The pin that an admitted image asks for, if its rule wants digests written and there is none yet. */
export function pinOf({ occurrence, pinned, verdict, digests }: RuleVerdict): readonly Pin[] {
  if (occurrence === undefined || pinned === undefined || occurrence.image.reference.kind === 'digest') return []
  if (verdict === 'denied' || verdict === 'skipped' || !digests.mutate) return []
  const { text, reference } = occurrence.image
  const to = `${withTag(text, reference)}@${pinned.digest}`
  return [{ pointer: occurrence.pointer, path: occurrence.path, from: text, to }]
}

/** A tag that was left out is written, too: the digest alone would not say what it was. */
function withTag(text: string, { tag = '' }: Reference): string {
  return text.endsWith(`:${tag}`) ? text : `${text}:${tag}`
}

/** One pin a place; all rules of one review were shown the same digest. */
export function pinsWithoutConflict(pins: readonly Pin[]): readonly Pin[] {
  return [...new Map(pins.map((pin) => [pin.pointer, pin])).values()]
}
