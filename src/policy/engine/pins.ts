/** The verified digest, written into the resource. @module */
import type { Pin, RuleVerdict } from './verdict.js'

/** The pin that an admitted image asks for, if its rule wants digests written and there is none yet. */
export function pinOf(verdict: RuleVerdict): readonly Pin[] {
  const { occurrence, pinned, mutates } = verdict
  if (occurrence === undefined || pinned === undefined || occurrence.image.reference.kind === 'digest') return []
  if (verdict.verdict === 'denied' || verdict.verdict === 'skipped' || mutates !== true) return []
  const { text } = occurrence.image
  return [{ pointer: occurrence.pointer, path: occurrence.path, from: text, to: `${text}@${pinned.digest}` }]
}

/** One pin a place; all rules of one review were shown the same digest. */
export function pinsWithoutConflict(pins: readonly Pin[]): readonly Pin[] {
  return [...new Map(pins.map((pin) => [pin.pointer, pin])).values()]
}
