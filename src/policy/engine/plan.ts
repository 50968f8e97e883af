/** What a rule asks of one review: made once, and only when an image was selected. @module */
import type { RulePlan } from '../internal/policy.js'
import type { ImageContext } from './judge-image.js'

/** Asks the planner, the first time; whoever asks later is told the same. */
export function planOnce({ rule, session, request }: ImageContext): () => Promise<RulePlan> {
  const { planner, demand, conclusion } = rule
  if (planner === undefined) return () => Promise.resolve({ applies: true, demand, conclusion })
  let plan: Promise<RulePlan> | undefined
  return () =>
    (plan ??= session.waiting.for(`what ${rule.name} asks of the cluster`, () =>
      planner.plan(request.review, session.planServices),
    ))
}
