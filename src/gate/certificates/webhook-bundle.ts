/** What API servers are told to believe: the `caBundle` of the webhook configurations that lead here. @module */
import { isCodedError } from '#errors'
import type { KubernetesApi } from '#clients/kubernetes/api'
import type { ObjectAddress } from '#clients/kubernetes/object'
import { encodeBase64 } from '#encoding/base64'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'

const API_VERSION = 'admissionregistration.k8s.io/v1'

/** The service that the webhooks lead to, and the configurations that they are in. */
export interface WebhookTarget {
  readonly service: string
  readonly namespace: string
  readonly validating: string
  readonly mutating: string
}

/**
 * Writes the bundle into every webhook that leads to the service; those that lead elsewhere are left alone. True if both
 * configurations have it now. One that is not there is no failure: it may be installed later, and asks for it then.
 * @throws KubernetesError, HttpError
 */
export async function writeBundle(api: KubernetesApi, target: WebhookTarget, bundle: string): Promise<boolean> {
  const caBundle = encodeBase64(encodeUtf8(bundle))
  const configurations = [
    { apiVersion: API_VERSION, resource: 'validatingwebhookconfigurations', name: target.validating },
    { apiVersion: API_VERSION, resource: 'mutatingwebhookconfigurations', name: target.mutating },
  ]
  const written = await Promise.all(configurations.map((at) => writeInto(api, { at, target, caBundle })))
  return written.every(Boolean)
}

interface Writing {
  readonly at: ObjectAddress
  readonly target: WebhookTarget
  readonly caBundle: string
}

async function writeInto(api: KubernetesApi, { at, target, caBundle }: Writing): Promise<boolean> {
  try {
    const found = await api.get(at)
    const changes = bundleChanges(found, target, caBundle)
    // The test of the version makes this fail if anybody else wrote meanwhile; the next look tries again.
    if (changes.length > 0) {
      const unchanged = { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion ?? '' }
      await api.patch(at, { kind: 'json', body: [unchanged, ...changes] }, { fieldManager: 'countersign-certificates' })
    }
    return true
  } catch (error) {
    if (!isCodedError(error)) throw error
    if (error.code === 'KUBERNETES_NOT_FOUND') return true
    if (error.code === 'KUBERNETES_CONFLICT' || error.code === 'KUBERNETES_INVALID') return false
    throw error
  }
}

/** JSON patch operations for the webhooks that do not have the bundle yet. */
function bundleChanges({ webhooks }: JsonObject, target: WebhookTarget, caBundle: string): readonly JsonObject[] {
  if (!Array.isArray(webhooks)) return []
  return (webhooks as readonly JsonValue[]).flatMap((webhook, index) => {
    const clientConfig = isJsonObject(webhook) ? webhook['clientConfig'] : undefined
    if (!isJsonObject(clientConfig) || !leadsTo(clientConfig['service'], target)) return []
    if (clientConfig['caBundle'] === caBundle) return []
    return [{ op: 'add', path: `/webhooks/${String(index)}/clientConfig/caBundle`, value: caBundle }]
  })
}

function leadsTo(service: JsonValue | undefined, target: WebhookTarget): boolean {
  return isJsonObject(service) && service['name'] === target.service && service['namespace'] === target.namespace
}
