/** The document behind a verdict. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import type { RuleVerdict } from '#policy/engine/verdict'
import { policyResourceOf } from '#policy/front-ends'
import type { Documents } from '../snapshot/documents.js'
import type { EventTarget } from './event.js'

/** Undefined if it is gone by now. */
export function policyDocumentOf(
  { language, policy, namespace }: RuleVerdict,
  documents: Documents,
): JsonObject | undefined {
  const resource = policyResourceOf(language, namespace !== undefined)
  if (resource === undefined) return undefined
  const { group, kind } = resource
  return documents.get({ group, kind, namespace: namespace ?? '', name: policy })
}

export function annotationsOf(document: JsonObject | undefined): Readonly<Record<string, string>> {
  const metadata = document?.['metadata']
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined
  if (!isJsonObject(annotations)) return {}
  return Object.fromEntries(
    Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** What an event needs to know of a document. */
export function targetOf({ apiVersion, kind, metadata }: JsonObject): EventTarget | undefined {
  const { name, namespace, uid } = isJsonObject(metadata) ? metadata : {}
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string' || name === '')
    return undefined
  return {
    apiVersion,
    kind,
    name,
    namespace: typeof namespace === 'string' ? namespace : '',
    ...(typeof uid === 'string' && { uid }),
  }
}
