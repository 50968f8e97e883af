/** What runs in a cluster: its pods, by whom they are there, on which platforms. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { isKubernetesError } from '#clients/kubernetes/kubernetes-error'
import type { Collection, KubernetesObject } from '#clients/kubernetes/object'
import type { JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { imagesOfWorkload, type Owner } from './pod.js'
import type { Collected } from './sighting.js'

export interface ClusterScope {
  /** None means all. */
  readonly namespaces: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads the pods that run or will, and cron jobs, which run between the looks. Who owns them, and on which platforms they
 * run, is asked for as well; where that may not be read the answer is less exact, and a note says so.
 * @throws KubernetesError if the pods cannot be listed: a cluster that cannot be seen is not an empty one
 */
export async function collectCluster(api: KubernetesApi, scope: ClusterScope): Promise<Collected> {
  const notes: string[] = []
  const listed = async (apiVersion: string, resource: string): Promise<readonly KubernetesObject[]> =>
    await listEverywhere(api, { apiVersion, resource }, scope)
  const optional = async (apiVersion: string, resource: string, loss: string): Promise<readonly KubernetesObject[]> => {
    try {
      return resource === 'nodes'
        ? (await api.list({ apiVersion, resource }, {}, scope.signal)).items
        : await listed(apiVersion, resource)
    } catch (error) {
      if (!isKubernetesError(error) || !ABSENT.has(error.code)) throw error
      notes.push(`${resource} cannot be listed (${error.message}): ${loss}`)
      return []
    }
  }
  const [pods, replicaSets, jobs, cronJobs, nodes] = await Promise.all([
    listed('v1', 'pods'),
    optional('apps/v1', 'replicasets', 'Deployments are called by their ReplicaSets'),
    optional('batch/v1', 'jobs', 'CronJobs are called by their Jobs'),
    optional('batch/v1', 'cronjobs', 'CronJobs that do not run right now are left out'),
    optional('v1', 'nodes', 'every platform of an image counts, not only those of the nodes'),
  ])
  const owners = new Map([...replicaSets, ...jobs].map((object) => [idOf(object.kind, object), object] as const))
  const platforms = new Map(nodes.map((node) => [node.metadata.name, platformOf(node)] as const))
  const sightings = [
    ...pods
      .filter(isAlive)
      .flatMap((pod) =>
        imagesOfWorkload(pod, { kind: 'Pod', owner: topOwner(pod, owners), platform: platforms.get(nodeOf(pod)) }),
      ),
    ...cronJobs.flatMap((cronJob) => imagesOfWorkload(cronJob, { kind: 'CronJob', owner: self(cronJob) })),
  ]
  return { sightings, source: describe(scope), notes }
}

/** May not be read, or is not served. */
const ABSENT: ReadonlySet<string> = new Set(['KUBERNETES_FORBIDDEN', 'KUBERNETES_NOT_FOUND'])

async function listEverywhere(
  api: KubernetesApi,
  of: Collection,
  { namespaces, signal }: ClusterScope,
): Promise<readonly KubernetesObject[]> {
  const places = namespaces.length === 0 ? [undefined] : namespaces
  const lists = await Promise.all(places.map(async (namespace) => await api.list({ ...of, namespace }, {}, signal)))
  return lists.flatMap(({ items }) => items)
}

/** A pod that is over runs nothing any more. */
function isAlive({ status }: KubernetesObject): boolean {
  const phase = isJsonObject(status) ? status['phase'] : undefined
  return phase !== 'Succeeded' && phase !== 'Failed'
}

function nodeOf({ spec }: KubernetesObject): string {
  const name = isJsonObject(spec) ? spec['nodeName'] : undefined
  return typeof name === 'string' ? name : ''
}

function platformOf({ status }: KubernetesObject): string | undefined {
  const info = isJsonObject(status) ? status['nodeInfo'] : undefined
  const { operatingSystem, architecture } = isJsonObject(info) ? info : {}
  return typeof operatingSystem === 'string' && typeof architecture === 'string'
    ? `${operatingSystem}/${architecture}`
    : undefined
}

type Owners = ReadonlyMap<string, KubernetesObject>

/** ReplicaSets belong to Deployments, Jobs to CronJobs; nothing of Kubernetes' own goes deeper. */
const MAX_OWNERS = 4

function topOwner(pod: KubernetesObject, owners: Owners): Owner {
  let top = self(pod)
  let object: KubernetesObject | undefined = pod
  for (let depth = 0; object !== undefined && depth < MAX_OWNERS; depth++) {
    const owner = controllerOf(object)
    if (owner === undefined) break
    top = { namespace: pod.metadata.namespace, ...owner }
    object = owners.get(idOf(owner.kind, { metadata: { name: owner.name, namespace: top.namespace } }))
  }
  return top
}

function controllerOf({ metadata }: KubernetesObject): Pick<Owner, 'kind' | 'name'> | undefined {
  const references = metadata['ownerReferences']
  if (!Array.isArray(references)) return undefined
  for (const reference of references as readonly JsonValue[]) {
    if (!isJsonObject(reference) || reference['controller'] !== true) continue
    const { kind, name } = reference
    if (typeof kind === 'string' && typeof name === 'string') return { kind, name }
  }
  return undefined
}

function self({ kind, metadata }: KubernetesObject): Owner {
  return { namespace: metadata.namespace, kind, name: metadata.name }
}

function idOf(
  kind: string,
  { metadata }: { readonly metadata: { readonly name: string; readonly namespace?: string | undefined } },
): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`
}

function describe({ namespaces }: ClusterScope): string {
  return namespaces.length === 0 ? 'all namespaces' : `namespace ${namespaces.join(', ')}`
}
