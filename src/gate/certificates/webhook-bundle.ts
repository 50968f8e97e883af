/** What API servers are told to believe: the `caBundle` of the webhook configurations that lead here. @module */
import { isCodedError } from '#errors'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { orAbsent } from '#clients/kubernetes/or-absent'
import type { KubernetesObject, ObjectAddress } from '#clients/kubernetes/object'
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

/** The configurations as they were at a moment; undefined for one that is not there. */
export type FoundConfigurations = readonly (FoundConfiguration | undefined)[]

interface FoundConfiguration {
  readonly at: ObjectAddress
  readonly object: KubernetesObject
}

/** @throws KubernetesError, HttpError */
export async function findConfigurations(api: KubernetesApi, target: WebhookTarget): Promise<FoundConfigurations> {
  const addresses = [
    { apiVersion: API_VERSION, resource: 'validatingwebhookconfigurations', name: target.validating },
    { apiVersion: API_VERSION, resource: 'mutatingwebhookconfigurations', name: target.mutating },
  ]
  return await Promise.all(addresses.map((at) => find(api, at)))
}

async function find(api: KubernetesApi, at: ObjectAddress): Promise<FoundConfiguration | undefined> {
  const object = await orAbsent(api.get(at))
  return object === undefined ? undefined : { at, object }
}

export interface Announcement {
  readonly target: WebhookTarget
  readonly found: FoundConfigurations
  readonly bundle: string
}

/**
 * Writes the bundle into every webhook that leads to the service, as long as the configurations are as they were found; those that lead
 * elsewhere are left alone. True if both have it now. One that was not there is no failure: it may be installed later, and asks for
 * it then.
 * @throws KubernetesError, HttpError
 */
export async function writeBundle(api: KubernetesApi, { target, found, bundle }: Announcement): Promise<boolean> {
  const caBundle = encodeBase64(encodeUtf8(bundle))
  const written = await Promise.all(
    found.map(async (each) => {
      return each === undefined || (await writeInto(api, each, bundleChanges(each.object, target, caBundle)))
    }),
  )
  return written.every(Boolean)
}

async function writeInto(
  api: KubernetesApi,
  { at, object }: FoundConfiguration,
  changes: readonly JsonObject[],
): Promise<boolean> {
  if (changes.length === 0) return true
  const unchanged = { op: 'test', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion ?? '' }
  try {
    await api.patch(at, { kind: 'json', body: [unchanged, ...changes] }, { fieldManager: 'countersign-certificates' })
    return true
  } catch (error) {
    // Somebody else wrote meanwhile: the next look tries again.
    if (isCodedError(error) && CHANGED.has(error.code)) return false
    throw error
  }
}

/** What becomes of the test of the version when it fails, or the configuration is gone. */
const CHANGED: ReadonlySet<string> = new Set(['KUBERNETES_CONFLICT', 'KUBERNETES_INVALID', 'KUBERNETES_NOT_FOUND'])

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
