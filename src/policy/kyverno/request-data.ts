/** The variables that every rule has: `request`, `images` and the service account. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { readPlace } from '../internal/image-name.js'
import type { ImagePlace } from '../internal/pod-images.js'
import type { Review } from '../internal/review.js'
import { imageEntry } from './image-name.js'

/** The admission request, or what it would have been. */
export function requestVariable(review: Review): JsonObject {
  const { request, operation, kind, resource, name, namespace, object, oldObject, user } = review
  const { subresource, ...plural } = resource
  return {
    ...(request ?? {
      operation,
      kind,
      resource: plural,
      name,
      ...(subresource === undefined ? {} : { subResource: subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(user === undefined ? {} : { userInfo: { username: user.username, groups: user.groups } }),
    }),
    // What is judged, whatever the request that brought it says.
    object,
    ...(oldObject === undefined ? {} : { oldObject }),
    ...(user === undefined ? {} : { roles: user.roles, clusterRoles: user.clusterRoles }),
  }
}

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)/

/** Empty texts where no service account asks. */
export function accountVariables({ user }: Review): Readonly<Record<string, string>> {
  const [, namespace = '', name = ''] = ACCOUNT.exec(user?.username ?? '') ?? []
  return { serviceAccountName: name, serviceAccountNamespace: namespace }
}

/**
 * Images by group and name.
 * @throws PolicyError `POLICY_IMAGE`
 */
export function imagesVariable(places: readonly ImagePlace[]): JsonValue {
  const groups = new Map<string, Map<string, JsonValue>>()
  for (const place of places) {
    const read = readPlace(place)
    if ('error' in read) throw read.error
    const group = groups.get(place.group) ?? new Map<string, JsonValue>()
    group.set(place.name, imageEntry(read.occurrence))
    groups.set(place.group, group)
  }
  return Object.fromEntries([...groups].map(([name, entries]) => [name, Object.fromEntries(entries)]))
}
