/** What follows from a failure: an answer that cannot be had is told from one that is no. @module */
import type { DemandOutcome } from '../internal/outcome.js'
import type { Action, Enforcement, FailureCause } from '../internal/policy.js'
import { isOutage } from '../internal/outage.js'
import type { Review } from '../internal/review.js'

/** What happens to a resource for this reason. */
export function actionFor(enforcement: Enforcement, review: Review, cause: FailureCause): Action {
  const action = enforcement.actionFor(review)
  const onOutage = enforcement.actionOnOutage?.(review) ?? action
  if (cause.kind === 'demand') return isOutageOf(cause.outcome) ? onOutage : action
  if (cause.kind !== 'error' && cause.kind !== 'plan') return action
  // What went wrong otherwise may be the doing of whoever wrote the resource: it must not soften anything.
  return isOutage(cause.error) ? onOutage : stricter(action, onOutage)
}

/** Whether it is for want of answers that a demand is not met: with them it could be. */
function isOutageOf(outcome: DemandOutcome): boolean {
  return !outcome.met && couldBeMet(outcome)
}

function couldBeMet(outcome: DemandOutcome): boolean {
  if (outcome.met) return true
  if ('of' in outcome) return outcome.of.filter(couldBeMet).length >= Math.max(outcome.demand.required, 1)
  return 'problem' in outcome && outcome.problem !== undefined && isOutage(outcome.problem)
}

const STRICTNESS = { audit: 0, warn: 1, deny: 2 } as const satisfies Record<Action, number>

function stricter(a: Action, b: Action): Action {
  return STRICTNESS[a] >= STRICTNESS[b] ? a : b
}
