/** A cluster that consists of documents: what policies may read where there is no API server. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import type { ClusterReader, ResourceList } from './cluster.js'
import { Complaints, Fields } from './fields.js'
import { PolicyError } from './policy-error.js'
import { pluralOf } from './review-of-resource.js'

/** Resources that are not among the documents are not known to be absent: asking for one is a refusal, as is every call. */
export function clusterOfDocuments(documents: readonly JsonObject[]): ClusterReader {
  const matching = ({ apiVersion, resource, namespace }: ResourceList): readonly JsonObject[] =>
    documents.filter((document) => {
      const { kind } = document
      if (document['apiVersion'] !== apiVersion || typeof kind !== 'string' || pluralOf(kind) !== resource) return false
      return namespace === undefined || (metadataOf(document).namespace ?? 'default') === namespace
    })
  return {
    get: async (of, name) => {
      const found = matching(of).find((document) => metadataOf(document).name === name)
      return await (found ?? notThere(`${of.resource} ${of.namespace ?? ''}/${name}`))
    },
    list: (of) => {
      const found = matching(of)
      return found.length > 0 ? Promise.resolve(found) : notThere(of.resource)
    },
    call: (path): Promise<JsonValue> => notThere(path),
    globalContext: (name): Promise<JsonValue> => notThere(`the global context entry ${name}`),
  }
}

function metadataOf(document: JsonObject): {
  readonly name: string | undefined
  readonly namespace: string | undefined
} {
  const metadata = new Fields(document, '', new Complaints()).object('metadata')
  return { name: metadata?.text('name'), namespace: metadata?.text('namespace') }
}

function notThere(what: string): Promise<never> {
  return Promise.reject(
    new PolicyError('POLICY_CLUSTER', `there is no ${what} in the files`, {
      hint: 'give a file that it is in with --policy, too',
    }),
  )
}
