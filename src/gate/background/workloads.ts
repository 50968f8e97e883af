/** What runs: the kinds that name images, page by page. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'

/** A kind that is scanned. */
export interface WorkloadKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** The plural. */
  readonly resource: string
}

export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  { group: '', version: 'v1', kind: 'Pod', resource: 'pods' },
  { group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments' },
  { group: 'apps', version: 'v1', kind: 'StatefulSet', resource: 'statefulsets' },
  { group: 'apps', version: 'v1', kind: 'DaemonSet', resource: 'daemonsets' },
  { group: 'apps', version: 'v1', kind: 'ReplicaSet', resource: 'replicasets' },
  { group: '', version: 'v1', kind: 'ReplicationController', resource: 'replicationcontrollers' },
  { group: 'batch', version: 'v1', kind: 'Job', resource: 'jobs' },
  { group: 'batch', version: 'v1', kind: 'CronJob', resource: 'cronjobs' },
]

const PAGE = 100

/** Objects of a kind in a namespace, never more than a page of them in memory. */
export async function* workloadsOf(
  api: KubernetesApi,
  { group, version, resource, kind }: WorkloadKind,
  namespace: string,
): AsyncGenerator<JsonObject, void, undefined> {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}?limit=${String(PAGE)}`
  const apiVersion = group === '' ? version : `${group}/${version}`
  let token = ''
  do {
    const page = await api.call(token === '' ? path : `${path}&continue=${encodeURIComponent(token)}`, {
      method: 'GET',
    })
    const list = isJsonObject(page) ? page : {}
    const items = Array.isArray(list['items']) ? (list['items'] as readonly JsonValue[]) : []
    // Items of a list leave out what the list says once.
    for (const item of items) if (isJsonObject(item)) yield { ...item, apiVersion, kind }
    token = continuationOf(list)
  } while (token !== '')
}

function continuationOf({ metadata }: JsonObject): string {
  const token = isJsonObject(metadata) ? metadata['continue'] : undefined
  return typeof token === 'string' ? token : ''
}

/** Whether something else that is scanned made it, and says the same: a ReplicaSet of a Deployment, a Job of a CronJob. */
export function isMadeByAnother({ kind, metadata }: JsonObject): boolean {
  if (kind === 'Pod' || !isJsonObject(metadata)) return false
  const owners = metadata['ownerReferences']
  return (
    Array.isArray(owners) &&
    (owners as readonly JsonValue[]).some((owner) => isJsonObject(owner) && owner['controller'] === true)
  )
}
