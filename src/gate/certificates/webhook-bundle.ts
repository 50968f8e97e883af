/** What API servers are told to believe: the `caBundle` of the webhook configurations that lead here. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { KubernetesError } from '#clients/kubernetes/kubernetes-error'
import type { ObjectAddress } from '#clients/kubernetes/object'
import { encodeBase64 } from '#encoding/base64'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'

const API_VERSION = 'admissionregistration.k8s.io/v1'
export const CONFIGURATION_RESOURCES = ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'] as const

/** The service that the webhooks of these configurations lead to. */
export interface WebhookTarget {
  /** Name of the configurations, one of each kind. */
  readonly configurations: string
  readonly service: string
  readonly namespace: string
}

/**
 * Writes the bundle into every webhook that leads to the service; those that lead elsewhere are left alone. True if both
 * configurations have it now. One that is not there is no failure: it may be installed later, and asks for it then.
 * @throws KubernetesError, HttpError
 */
export async function writeBundle(api: KubernetesApi, target: WebhookTarget, bundle: string): Promise<boolean> {
  const caBundle = encodeBase64(encodeUtf8(bundle))
  const written = await Promise.all(
    CONFIGURATION_RESOURCES.map((resource) =>
      writeInto(api, { at: { apiVersion: API_VERSION, resource, name: target.configurations }, target, caBundle }),
    ),
  )
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
    const changed = withBundle(found, target, caBundle)
    // The resource version in it makes this fail if anybody else wrote meanwhile; the next look tries again.
    if (changed !== undefined) await api.update(at, changed, { fieldManager: 'countersign-certificates' })
    return true
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error
    if (error.code === 'KUBERNETES_NOT_FOUND') return true
    if (error.code === 'KUBERNETES_CONFLICT') return false
    throw error
  }
}

/** The configuration with the bundle in it; undefined if it is there already. */
function withBundle(configuration: JsonObject, target: WebhookTarget, caBundle: string): JsonObject | undefined {
  const { webhooks } = configuration
  if (!Array.isArray(webhooks)) return undefined
  let changed = false
  const next = (webhooks as readonly JsonValue[]).map((webhook): JsonValue => {
    if (!isJsonObject(webhook)) return webhook
    const { clientConfig } = webhook
    if (!isJsonObject(clientConfig) || !leadsTo(clientConfig['service'], target)) return webhook
    if (clientConfig['caBundle'] === caBundle) return webhook
    changed = true
    return { ...webhook, clientConfig: { ...clientConfig, caBundle } }
  })
  return changed ? { ...configuration, webhooks: next } : undefined
}

function leadsTo(service: JsonValue | undefined, target: WebhookTarget): boolean {
  return isJsonObject(service) && service['name'] === target.service && service['namespace'] === target.namespace
}
