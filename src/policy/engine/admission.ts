/** What becomes of a resource on its way into a cluster: digests are written in, and then it is judged as it stands. @module */
import { evaluate } from './evaluate.js'
import type { EvaluationRequest } from './evaluate.js'
import { withPins } from './pins.js'
import type { ReviewVerdict } from './verdict.js'

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
