/** What runs: the kinds that name images, page by page. @module */
import { isCodedError } from '#errors'
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

export interface WorkloadsIn {
  readonly namespace: string
  readonly signal: AbortSignal
}

/**
 * Objects of a kind in a namespace in the order of their names, never more than a page of them in memory. API servers keep the
 * pages of a list for minutes, and whoever goes through a large one slowly needs longer: then it is listed anew, and what was
 * given already is passed over.
 */
export async function* workloadsOf(
  api: KubernetesApi,
  { group, version, resource, kind }: WorkloadKind,
  { namespace, signal }: WorkloadsIn,
): AsyncGenerator<JsonObject, void, undefined> {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const path = `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}?limit=${String(PAGE)}`
  const apiVersion = group === '' ? version : `${group}/${version}`
  let last = ''
  let token = ''
  let hasGiven = false
  for (;;) {
    const next = token === '' ? path : `${path}&continue=${encodeURIComponent(token)}`
    const page = await unlessExpired(api.call(next, { method: 'GET' }, signal), { isFirst: token === '', hasGiven })
    if (page === undefined) hasGiven = false
    for (const item of itemsOf(page)) {
      if (nameOf(item) <= last) continue
      last = nameOf(item)
      hasGiven = true
      // Items of a list leave out what the list says once.
      yield { ...item, apiVersion, kind }
    }
    token = continuationOf(page)
    if (page !== undefined && token === '') return
  }
}

/** Undefined: the page is no longer kept. Without anything new since the last time, or for the first page, that is an error like others. */
async function unlessExpired(
  page: Promise<JsonValue>,
  { isFirst, hasGiven }: { readonly isFirst: boolean; readonly hasGiven: boolean },
): Promise<JsonValue | undefined> {
  try {
    return await page
  } catch (error) {
    if (!isFirst && hasGiven && isCodedError(error) && error.code === 'KUBERNETES_EXPIRED') return undefined
    throw error
  }
}

function itemsOf(list: JsonValue | undefined): readonly JsonObject[] {
  const items = isJsonObject(list) ? list['items'] : undefined
  return Array.isArray(items) ? (items as readonly JsonValue[]).filter(isJsonObject) : []
}

function nameOf({ metadata }: JsonObject): string {
  const name = isJsonObject(metadata) ? metadata['name'] : undefined
  return typeof name === 'string' ? name : ''
}

function continuationOf(list: JsonValue | undefined): string {
  const metadata = isJsonObject(list) ? list['metadata'] : undefined
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
