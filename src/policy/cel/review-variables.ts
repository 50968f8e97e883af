/** What expressions can say of a request: `object`, `oldObject`, `request`, `namespaceObject`. @module */
import type { JsonObject } from '#encoding/json'
import type { Circumstances } from '../internal/cluster.js'
import type { Review } from '../internal/review.js'
import type { Asks } from './asks.js'
import { fromJson } from './json.js'
import type { Variables } from './program.js'
import type { Outcome } from './values.js'

/** The values of these variables. A namespace that did not come with the request is asked for when it is needed. */
export function reviewVariables(review: Review, circumstances: Circumstances): Variables {
  const { object, oldObject } = review
  return (name, { asks }) => {
    switch (name) {
      case 'object':
        return review.operation === 'DELETE' ? null : fromJson(object)
      case 'oldObject':
        return oldObject === undefined ? null : fromJson(oldObject)
      case 'request':
        return fromJson(requestOf(review))
      case 'namespaceObject':
        return namespaceOf(review, circumstances, asks)
      default:
        return undefined
    }
  }
}

function namespaceOf({ namespace, namespaceObject }: Review, { cluster, signal }: Circumstances, asks: Asks): Outcome {
  if (namespaceObject !== undefined) return fromJson(namespaceObject)
  if (namespace === undefined) return null
  return asks.ask(`namespace ${namespace}`, async () => {
    const list = { apiVersion: 'v1', resource: 'namespaces', namespace: undefined }
    const found = await cluster.get(list, namespace, signal)
    return found === undefined ? null : fromJson(found)
  })
}

/** The admission request as it came, or as it would have come. */
export function requestOf(review: Review): JsonObject {
  const { request, kind, resource, operation, name, namespace, oldObject, user } = review
  const object = operation === 'DELETE' ? null : review.object
  // Digests may have been written into the object since it came.
  if (request !== undefined) return { ...request, object }
  const { subresource, ...plural } = resource
  return {
    kind: { ...kind },
    resource: { ...plural },
    requestKind: { ...kind },
    requestResource: { ...plural },
    ...(subresource !== undefined && { subResource: subresource, requestSubResource: subresource }),
    name,
    ...(namespace !== undefined && { namespace }),
    operation,
    userInfo: user === undefined ? {} : { username: user.username, groups: [...user.groups] },
    object,
    oldObject: oldObject ?? null,
    dryRun: false,
  }
}
