/** What policies read of the cluster while they judge: asked of the API server, and remembered for moments. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { orAbsent } from '#clients/kubernetes/or-absent'
import { RecentAnswers } from '#clients/recent-answers'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import type { ClusterReader, ResourceList } from '#policy/internal/cluster'
import { PolicyError } from '#policy/internal/policy-error'
import type { Documents } from '../snapshot/documents.js'
import { createGlobalContext } from './global-context.js'

export interface ClusterReaderOptions {
  readonly api: KubernetesApi
  readonly clock: Clock
  /** Where GlobalContextEntries are. */
  readonly documents: Documents
}

/** A burst of pods is answered from one question; a change is obeyed seconds after. */
const LIFE = 5_000
const MAX_REMEMBERED = 512

/** Questions are asked once, however many ask; those that fail are asked again. */
export function createClusterReader({ api, clock, documents }: ClusterReaderOptions): ClusterReader {
  const known = new RecentAnswers(MAX_REMEMBERED, { clock, millis: LIFE })
  const reader: Omit<ClusterReader, 'globalContext'> = {
    get: (of, name) => known.get(`get ${listKey(of)} ${name}`, () => getOrNone(api, of, name)),
    list: (of) =>
      known.get(`list ${listKey(of)}`, () => asCluster(`the ${of.resource}`, async () => (await api.list(of)).items)),
    call: (path, call, signal): Promise<JsonValue> =>
      asCluster(`${call.method} ${path}`, () => api.call(path, call, signal)),
  }
  return { ...reader, globalContext: createGlobalContext({ documents, reader, clock }) }
}

async function getOrNone(api: KubernetesApi, of: ResourceList, name: string): Promise<JsonObject | undefined> {
  return await asCluster(`${of.resource} ${of.namespace ?? ''}/${name}`, () => orAbsent(api.get({ ...of, name })))
}

function listKey({ apiVersion, resource, namespace = '' }: ResourceList): string {
  return `${apiVersion} ${resource} ${namespace}`
}

async function asCluster<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new PolicyError('POLICY_CLUSTER', `failed to get ${what}: ${error.message}`, {
      found: error.found,
      hint: error.hint,
      cause: error,
    })
  }
}
