/** Which documents are image validating policies, and exceptions from them. @module */
import type { JsonObject } from '#encoding/json'

export const GROUP = 'policies.kyverno.io'
/** The one that is read first. */
export const VERSIONS: readonly string[] = ['v1', 'v1beta1', 'v1alpha1']

export const CLUSTER_KIND = 'ImageValidatingPolicy'
export const NAMESPACED_KIND = 'NamespacedImageValidatingPolicy'
export const EXCEPTION_KIND = 'PolicyException'

function isOfGroup({ apiVersion }: JsonObject): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`)
}

export function isImageValidatingPolicy(document: JsonObject): boolean {
  return isOfGroup(document) && (document['kind'] === CLUSTER_KIND || document['kind'] === NAMESPACED_KIND)
}

export function isCelException(document: JsonObject): boolean {
  return isOfGroup(document) && document['kind'] === EXCEPTION_KIND
}
