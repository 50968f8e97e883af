/** What becomes of a resource on its way into a cluster: digests are written in, and then it is judged as it stands. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Review } from '../internal/review.js'
import { evaluate } from './evaluate.js'
import type { EvaluationRequest } from './evaluate.js'
import type { Pin, ReviewVerdict } from './verdict.js'

/**
 * Judges as the mutating webhook and the validating one after it do. The second is asked only where it could say something else: a rule
 * wants a digest that nothing writes in.
 */
export async function evaluateAdmission(request: Omit<EvaluationRequest, 'digestsMustStand'>): Promise<ReviewVerdict> {
  const first = await evaluate({ ...request, digestsMustStand: false })
  if (!first.allowed || !lacksDigest(first)) return first
  const review = withPins(request.review, first.pins)
  const second = await evaluate({ ...request, review, digestsMustStand: true })
  return { ...second, pins: second.allowed ? first.pins : [] }
}

function lacksDigest({ rules, pins }: ReviewVerdict): boolean {
  const written = new Set(pins.map(({ pointer }) => pointer))
  return rules.some(({ digests, occurrence, verdict }) => {
    if (!digests.verify || occurrence === undefined || verdict === 'skipped') return false
    return occurrence.image.reference.kind !== 'digest' && !written.has(occurrence.pointer)
  })
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

function unescapeStep(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}
