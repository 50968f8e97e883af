/** Workloads for a test cluster, and what becomes of asking for them. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { KubernetesError } from '#clients/kubernetes/kubernetes-error'
import type { Collection, KubernetesObject } from '#clients/kubernetes/object'
import type { JsonObject } from '#encoding/json'

/** What came of a request. */
export interface Outcome {
  readonly allowed: boolean
  /** What the API server said, as it was; of an object that was admitted nothing. */
  readonly message: string
  readonly code: number | undefined
  readonly warnings: readonly string[]
  readonly object: KubernetesObject | undefined
}

export function podSpec(...images: readonly string[]): JsonObject {
  return {
    containers: images.map((image, index) => ({ name: `c${String(index)}`, image })),
    terminationGracePeriodSeconds: 0,
  }
}

export function pod(name: string, ...images: readonly string[]): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(...images) }
}

export function deployment(name: string, image: string): JsonObject {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: podSpec(image) }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  }
}

export function job(name: string, image: string): JsonObject {
  const template = { spec: { ...podSpec(image), restartPolicy: 'Never' } }
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template } }
}

export function cronJob(name: string, image: string): JsonObject {
  const template = { spec: { ...podSpec(image), restartPolicy: 'Never' } }
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } },
  }
}

const PLURALS: ReadonlyMap<string, string> = new Map([
  ['Pod', 'pods'],
  ['Deployment', 'deployments'],
  ['Job', 'jobs'],
  ['CronJob', 'cronjobs'],
  ['Namespace', 'namespaces'],
  ['Secret', 'secrets'],
  ['ConfigMap', 'configmaps'],
  ['PolicyException', 'policyexceptions'],
  ['ServiceAccount', 'serviceaccounts'],
  ['ClusterImagePolicy', 'clusterimagepolicies'],
  ['ClusterPolicy', 'clusterpolicies'],
  ['Policy', 'policies'],
  ['TrustRoot', 'trustroots'],
  ['ImageValidatingPolicy', 'imagevalidatingpolicies'],
  ['NamespacedImageValidatingPolicy', 'namespacedimagevalidatingpolicies'],
])

export function collectionOf({ apiVersion, kind }: JsonObject, namespace?: string): Collection {
  const resource = PLURALS.get(kind as string)
  if (resource === undefined) throw new Error(`no plural for ${JSON.stringify(kind)}`)
  return { apiVersion: apiVersion as string, resource, namespace }
}

/** Asks for an object; a refusal is an outcome. */
export async function ask(
  api: KubernetesApi,
  object: JsonObject,
  { namespace, dryRun = false }: { readonly namespace: string; readonly dryRun?: boolean },
): Promise<Outcome> {
  return await outcomeOf((onWarning) => api.create(collectionOf(object, namespace), object, { dryRun, onWarning }))
}

export async function outcomeOf(
  request: (onWarning: (text: string) => void) => Promise<KubernetesObject>,
): Promise<Outcome> {
  const warnings: string[] = []
  try {
    const object = await request((text) => warnings.push(text))
    return { allowed: true, message: '', code: 200, warnings, object }
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error
    const { status } = error
    return {
      allowed: false,
      message: status?.message ?? error.message,
      code: status?.code,
      warnings,
      object: undefined,
    }
  }
}

/** What "within seconds" means: a user who looks again finds it so. */
export const SECONDS = 10_000
const PAUSE = 25

/** Asks again and again until it is so, which a test fails without: by default after a time in which everything must have come about. */
export async function eventually<T>(
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  withinMillis = 60_000,
): Promise<{ readonly seen: T; readonly millis: number }> {
  const began = performance.now()
  for (;;) {
    const seen = await look()
    const millis = performance.now() - began
    if (isSo(seen)) return { seen, millis }
    if (millis > withinMillis) throw new Error(`not so after ${String(Math.round(millis))} ms: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}
