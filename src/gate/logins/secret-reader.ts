/** Secrets and service accounts of any namespace: those that are watched at once, others asked for and remembered for moments. @module */
import { isCodedError } from '#errors'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { RecentMap } from '#clients/recent-map'
import type { JsonObject } from '#encoding/json'
import type { Clock, UnixMillis } from '#time'
import type { Documents } from '../snapshot/documents.js'

export interface SecretReaderOptions {
  readonly api: KubernetesApi
  readonly documents: Documents
  /** The namespace whose Secrets are watched. */
  readonly namespace: string
  readonly clock: Clock
}

/** A login that was taken away is used so much longer at most. */
const LIFE = 30_000
const MAX_REMEMBERED = 2000

interface Remembered {
  readonly answer: Promise<JsonObject | undefined>
  readonly until: UnixMillis
}

export interface SecretReader {
  /** Undefined: there is none. @throws KubernetesError, HttpError */
  secret(namespace: string, name: string): Promise<JsonObject | undefined>
  serviceAccount(namespace: string, name: string): Promise<JsonObject | undefined>
}

/** Watching all Secrets of a cluster would be a treasure to whoever reads this process's memory; these are the few that are used. */
export function createSecretReader({ api, documents, namespace, clock }: SecretReaderOptions): SecretReader {
  const known = new RecentMap<string, Remembered>(MAX_REMEMBERED)
  const asked = async (resource: string, at: string, name: string): Promise<JsonObject | undefined> => {
    const key = `${resource} ${at}/${name}`
    const before = known.get(key)
    if (before !== undefined && before.until > clock()) return await before.answer
    const answer = getOrNone(api, { resource, namespace: at, name })
    known.set(key, { answer, until: clock() + LIFE })
    try {
      return await answer
    } catch (error) {
      if (known.get(key)?.answer === answer) known.delete(key)
      throw error
    }
  }
  return {
    secret: async (at, name) => {
      if (at !== namespace) return await asked('secrets', at, name)
      return documents.get({ group: '', kind: 'Secret', namespace: at, name })
    },
    serviceAccount: (at, name) => asked('serviceaccounts', at, name),
  }
}

async function getOrNone(
  api: KubernetesApi,
  at: { readonly resource: string; readonly namespace: string; readonly name: string },
): Promise<JsonObject | undefined> {
  try {
    return await api.get({ apiVersion: 'v1', ...at })
  } catch (error) {
    if (isCodedError(error) && error.code === 'KUBERNETES_NOT_FOUND') return undefined
    throw error
  }
}
