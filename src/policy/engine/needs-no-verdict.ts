/** What is let in unjudged, since nothing more runs for it than did before. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import type { Review } from '../internal/review.js'

/** Deleting, changes of what is being deleted, and scaling down. */
export function needsNoVerdict(review: Review): boolean {
  return review.operation === 'DELETE' || isBeingDeleted(review) || isMereScaling(review)
}

function isBeingDeleted({ object, operation }: Review): boolean {
  const { metadata } = object
  if (operation !== 'UPDATE' || typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return false
  return 'deletionTimestamp' in metadata && typeof metadata['deletionTimestamp'] === 'string'
}

/** Fewer replicas and nothing else: what runs is not to be kept running by a policy that came later. */
function isMereScaling({ operation, object, oldObject }: Review): boolean {
  if (operation !== 'UPDATE' || oldObject === undefined) return false
  const [before, after] = [replicasOf(oldObject), replicasOf(object)]
  if (before === undefined || after === undefined || after >= before) return false
  // The original looks at the replicas alone: an image changed along with them went unseen.
  return JSON.stringify(withoutReplicas(oldObject)) === JSON.stringify(withoutReplicas(object))
}

function withoutReplicas({ spec }: Review['object']): JsonValue {
  return isJsonObject(spec) ? { ...spec, replicas: 0 } : null
}

function replicasOf({ spec }: Review['object']): number | undefined {
  if (!isJsonObject(spec)) return undefined
  const { replicas } = spec
  return typeof replicas === 'number' ? replicas : undefined
}
