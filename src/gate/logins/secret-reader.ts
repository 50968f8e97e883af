/** Secrets and service accounts of any namespace: those that are watched at once, others asked for and remembered for moments. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { orAbsent } from '#clients/kubernetes/or-absent'
import { RecentAnswers } from '#clients/recent-answers'
import type { JsonObject } from '#encoding/json'
import type { Clock } from '#time'
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

export interface SecretReader {
  /** Undefined: there is none. @throws KubernetesError, HttpError */
  secret(namespace: string, name: string): Promise<JsonObject | undefined>
  serviceAccount(namespace: string, name: string): Promise<JsonObject | undefined>
}

/** Watching all Secrets of a cluster would be a treasure to whoever reads this process's memory; these are the few that are used. */
export function createSecretReader({ api, documents, namespace, clock }: SecretReaderOptions): SecretReader {
  const known = new RecentAnswers(MAX_REMEMBERED, { clock, millis: LIFE })
  const asked = (resource: string, at: string, name: string): Promise<JsonObject | undefined> =>
    known.get(`${resource} ${at}/${name}`, () => orAbsent(api.get({ apiVersion: 'v1', resource, namespace: at, name })))
  return {
    secret: async (at, name) => {
      if (at !== namespace) return await asked('secrets', at, name)
      return documents.get({ group: '', kind: 'Secret', namespace: at, name })
    },
    serviceAccount: (at, name) => asked('serviceaccounts', at, name),
  }
}
