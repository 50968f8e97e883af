/** What is let in unjudged, since nothing more runs for it than did before. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Review } from '../internal/review.js'

/** Deleting, what finishing a deletion takes, and scaling down. */
export function needsNoVerdict(review: Review): boolean {
  return review.operation === 'DELETE' || isMereDeletion(review) || isMereScaling(review)
}

/**
 * Removing a finalizer must never fail for a policy that came later. The API server alone says since when something is being
 * deleted, and so says it of the old object as well; what else is changed is judged like any other update.
 */
function isMereDeletion({ operation, object, oldObject }: Review): boolean {
  if (operation !== 'UPDATE' || oldObject === undefined) return false
  if (!isBeingDeleted(oldObject) || !isBeingDeleted(object)) return false
  return JSON.stringify(withoutMetadata(oldObject)) === JSON.stringify(withoutMetadata(object))
}

function isBeingDeleted({ metadata }: JsonObject): boolean {
  return isJsonObject(metadata) && typeof metadata['deletionTimestamp'] === 'string'
}

function withoutMetadata({ metadata: _metadata, status: _status, ...rest }: JsonObject): JsonObject {
  return rest
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
