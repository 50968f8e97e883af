/** What policies read of the cluster while they judge: asked of the API server, and remembered for moments. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { RecentMap } from '#clients/recent-map'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Clock, UnixMillis } from '#time'
import type { ClusterReader, ResourceList } from '#policy/internal/cluster'
import { PolicyError } from '#policy/internal/policy-error'

export interface ClusterReaderOptions {
  readonly api: KubernetesApi
  readonly clock: Clock
  readonly globalContext: ClusterReader['globalContext']
}

/** A burst of pods is answered from one question; a change is obeyed seconds after. */
const LIFE = 5_000
const MAX_REMEMBERED = 512

interface Remembered {
  readonly answer: Promise<unknown>
  readonly until: UnixMillis
}

/** Questions are asked once, however many ask; those that fail are asked again. */
export function createClusterReader({ api, clock, globalContext }: ClusterReaderOptions): ClusterReader {
  const known = new RecentMap<string, Remembered>(MAX_REMEMBERED)
  const remembered = async <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const before = known.get(key)
    // Sound: a key begins with what is asked, and that decides what the answer is.
    if (before !== undefined && before.until > clock()) return (await before.answer) as T
    const answer = ask()
    known.set(key, { answer, until: clock() + LIFE })
    try {
      return await answer
    } catch (error) {
      if (known.get(key)?.answer === answer) known.delete(key)
      throw error
    }
  }
  return {
    get: (of, name) => remembered(`get ${listKey(of)} ${name}`, () => getOrNone(api, of, name)),
    list: (of) =>
      remembered(`list ${listKey(of)}`, () => asCluster(`the ${of.resource}`, async () => (await api.list(of)).items)),
    call: (path, call, signal): Promise<JsonValue> =>
      asCluster(`${call.method} ${path}`, () => api.call(path, call, signal)),
    globalContext,
  }
}

async function getOrNone(api: KubernetesApi, of: ResourceList, name: string): Promise<JsonObject | undefined> {
  return await asCluster(`${of.resource} ${of.namespace ?? ''}/${name}`, async () => {
    try {
      return await api.get({ ...of, name })
    } catch (error) {
      if (isCodedError(error) && error.code === 'KUBERNETES_NOT_FOUND') return undefined
      throw error
    }
  })
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
