/** Which roles a user has: what the bindings of the cluster say, as an admission request does not. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Circumstances } from '../internal/cluster.js'
import type { Review, ReviewUser } from '../internal/review.js'

/** `namespace:name`, and names of cluster roles. */
export interface UserRoles {
  readonly roles: ReadonlySet<string>
  readonly clusterRoles: ReadonlySet<string>
}

const RBAC = 'rbac.authorization.k8s.io/v1'

/**
 * Asks the cluster, unless whoever made the review did.
 * @throws PolicyError `POLICY_CLUSTER`
 */
export async function rolesOf(user: ReviewUser, review: Review, circumstances: Circumstances): Promise<UserRoles> {
  if (user.roles.length + user.clusterRoles.length > 0)
    return { roles: new Set(user.roles), clusterRoles: new Set(user.clusterRoles) }
  const { cluster, signal } = circumstances
  const [own, general] = await Promise.all([
    cluster.list({ apiVersion: RBAC, resource: 'rolebindings', namespace: undefined }, signal),
    cluster.list({ apiVersion: RBAC, resource: 'clusterrolebindings', namespace: undefined }, signal),
  ])
  const roles = new Set<string>()
  const clusterRoles = new Set<string>()
  for (const binding of own) {
    const namespace = textAt(binding, 'metadata', 'namespace')
    if (!isBound(binding, namespace, user)) continue
    const name = textAt(binding, 'roleRef', 'name')
    if (textAt(binding, 'roleRef', 'kind') === 'Role') roles.add(`${namespace}:${name}`)
    // Bound in a namespace, a cluster role is one there only.
    else if (namespace === review.namespace) clusterRoles.add(name)
  }
  for (const binding of general) if (isBound(binding, '', user)) clusterRoles.add(textAt(binding, 'roleRef', 'name'))
  return { roles, clusterRoles }
}

function isBound({ subjects }: JsonObject, namespace: string, user: ReviewUser): boolean {
  if (!Array.isArray(subjects)) return false
  return (subjects as readonly JsonValue[]).some((subject) => isJsonObject(subject) && isUser(subject, namespace, user))
}

function isUser(subject: JsonObject, namespace: string, { username, groups }: ReviewUser): boolean {
  const { kind, name } = subject
  if (typeof name !== 'string' || name === '') return false
  if (kind === 'Group') return groups.includes(name)
  if (kind === 'User') return username === name
  const home = typeof subject['namespace'] === 'string' ? subject['namespace'] : namespace
  return kind === 'ServiceAccount' && home !== '' && username === `system:serviceaccount:${home}:${name}`
}

function textAt(object: JsonObject, outer: string, inner: string): string {
  const part = object[outer]
  const text = isJsonObject(part) ? part[inner] : undefined
  return typeof text === 'string' ? text : ''
}
