/** What an API server serves: from a kind to its plural. @module */
import { isJsonObject, type JsonValue } from '#encoding/json'
import type { Clock, UnixMillis } from '#time'
import type { ApiGroup, KubernetesApi, ServedResource } from './api.js'
import { KubernetesError } from './kubernetes-error.js'

/** Reads an `APIResourceList`; subresources are left out. */
export function parseResources(value: JsonValue, asked: string): readonly ServedResource[] {
  const { groupVersion, resources } = isJsonObject(value) ? value : {}
  if (typeof groupVersion !== 'string' || !Array.isArray(resources)) throw malformed(asked, 'an APIResourceList')
  return (resources as readonly JsonValue[]).flatMap((item) => {
    const { name, kind, namespaced, verbs } = isJsonObject(item) ? item : {}
    if (typeof name !== 'string' || typeof kind !== 'string') throw malformed(asked, 'resources with name and kind')
    if (name.includes('/')) return []
    return [{ apiVersion: groupVersion, resource: name, kind, namespaced: namespaced === true, verbs: texts(verbs) }]
  })
}

/** Reads an `APIGroupList`, with the core group before it. */
export function parseGroups(value: JsonValue, asked: string): readonly ApiGroup[] {
  const { groups } = isJsonObject(value) ? value : {}
  if (!Array.isArray(groups)) throw malformed(asked, 'an APIGroupList')
  const core = { name: '', apiVersions: ['v1'] }
  return [core, ...(groups as readonly JsonValue[]).map((group) => parseGroup(group, asked))]
}

function parseGroup(value: JsonValue, asked: string): ApiGroup {
  const { name, versions, preferredVersion } = isJsonObject(value) ? value : {}
  if (typeof name !== 'string' || !Array.isArray(versions)) throw malformed(asked, 'groups with name and versions')
  const served = (versions as readonly JsonValue[]).flatMap((version) => groupVersion(version))
  const [preferred] = isJsonObject(preferredVersion) ? groupVersion(preferredVersion) : []
  return { name, apiVersions: [...new Set(preferred === undefined ? served : [preferred, ...served])] }
}

function groupVersion(value: JsonValue): readonly string[] {
  const found = isJsonObject(value) ? value['groupVersion'] : undefined
  return typeof found === 'string' ? [found] : []
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter((each) => typeof each === 'string') : []
}

/** Kinds and their plurals, remembered. */
export interface Discovery {
  /** The resource of a kind; undefined if it is not served. */
  resourceOf(apiVersion: string, kind: string, signal?: AbortSignal): Promise<ServedResource | undefined>
}

/** Kinds come and go with their definitions. */
const FRESH_MILLIS = 600_000
/** How soon a kind that was not there is asked for again. */
const MISS_MILLIS = 2_000

/** Asks once for each version of an API, and again for a kind that is not there yet. */
export function createDiscovery(api: KubernetesApi, clock: Clock): Discovery {
  const known = new Map<string, { readonly at: UnixMillis; readonly resources: Promise<readonly ServedResource[]> }>()
  const resourcesOf = async (
    apiVersion: string,
    maxAge: number,
    signal?: AbortSignal,
  ): Promise<readonly ServedResource[]> => {
    const found = known.get(apiVersion)
    if (found !== undefined && clock() - found.at < maxAge) return await found.resources
    const resources = api.resources(apiVersion, signal)
    known.set(apiVersion, { at: clock(), resources })
    try {
      return await resources
    } catch (error) {
      if (known.get(apiVersion)?.resources === resources) known.delete(apiVersion)
      throw error
    }
  }
  return {
    resourceOf: async (apiVersion, kind, signal) => {
      const find = (resources: readonly ServedResource[]): ServedResource | undefined =>
        resources.find((resource) => resource.kind === kind)
      return (
        find(await resourcesOf(apiVersion, FRESH_MILLIS, signal)) ??
        find(await resourcesOf(apiVersion, MISS_MILLIS, signal))
      )
    },
  }
}

function malformed(asked: string, expected: string): KubernetesError {
  return new KubernetesError('KUBERNETES_ANSWER', `${asked}: the answer is not what an API server says`, { expected })
}
