/** The verified digest, written into the resource. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { NamedImage, PinnedImage } from '../internal/image.js'
import type { Review } from '../internal/review.js'
import type { Pin, RuleVerdict } from './verdict.js'

/** The pin that an admitted image asks for, if its rule wants digests written and there is none yet. */
export function pinOf({ occurrence, pinned, verdict, digests }: RuleVerdict): readonly Pin[] {
  if (occurrence === undefined || pinned === undefined || occurrence.image.reference.kind === 'digest') return []
  if (verdict === 'denied' || verdict === 'skipped' || !digests.mutate) return []
  const { image, pointer, path } = occurrence
  // What a policy found by itself has no place that could be written to.
  return pointer === '' ? [] : [{ pointer, path, from: image.text, to: pinnedText(image, pinned) }]
}

/** What is written in the place of an image's name: a tag that was left out, too, for the digest would not say what it was. */
export function pinnedText({ text, reference: { tag = '' } }: NamedImage, { digest }: PinnedImage): string {
  return `${text.endsWith(`:${tag}`) ? text : `${text}:${tag}`}@${digest}`
}

/** One pin a place; all rules of one review were shown the same digest. */
export function pinsWithoutConflict(pins: readonly Pin[]): readonly Pin[] {
  return [...new Map(pins.map((pin) => [pin.pointer, pin])).values()]
}

/** The review of the resource with digests written in. */
export function withPins(review: Review, pins: readonly Pin[]): Review {
  let { object } = review
  for (const { pointer, to } of pins)
    object = replaced(object, pointer.split('/').slice(1).map(unescapeStep), to) as JsonObject
  return { ...review, object }
}

function replaced(value: JsonValue, [step, ...rest]: readonly string[], to: string): JsonValue {
  if (step === undefined) return to
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).map((each, index) =>
      String(index) === step ? replaced(each, rest, to) : each,
    )
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, step)) return value
  return { ...value, [step]: replaced(value[step] ?? null, rest, to) }
}

/** RFC 6901 §4. */
function unescapeStep(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}
