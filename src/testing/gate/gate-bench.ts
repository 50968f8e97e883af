/** A gate in one process: a fake cluster with policies, a fake registry with images, requests as the API server makes them. @module */
import type { Fetch } from '#clients/http/fetch'
import { anonymousKeychain } from '#clients/registry/authenticator'
import type { JsonObject, JsonValue } from '#encoding/json'
import { openClusterGate } from '#gate/cluster-gate'
import type { ClusterGate, ClusterGateOptions } from '#gate/cluster-gate'
import { createLog } from '#gate/telemetry/log'
import { fakeTimers } from '../fake-timers.js'
import type { FakeTimers } from '../fake-timers.js'
import { createFakeCluster } from '../kubernetes/fake-cluster.js'
import type { FakeCluster } from '../kubernetes/fake-cluster.js'
import { POLICY_RESOURCES } from '../kubernetes/resources.js'
import { openPolicyBench } from '../policy/bench.js'
import type { PolicyBench } from '../policy/bench.js'

export const NAMESPACE = 'countersign-system'

/** What the API server reads. */
export interface ReviewResponse {
  readonly uid: string
  readonly allowed: boolean
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string }
  readonly warnings?: readonly string[]
  readonly auditAnnotations?: Readonly<Record<string, string>>
  readonly patchType?: string
  /** Decoded. */
  readonly patch?: readonly { readonly op: string; readonly path: string; readonly value: string }[]
}

export interface GateBench {
  readonly images: PolicyBench
  readonly cluster: FakeCluster
  readonly opened: ClusterGate
  readonly time: FakeTimers
  /** Lines of the log, read. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  /** Puts the policies and objects in, and waits until they are in force. */
  apply(...objects: readonly JsonObject[]): Promise<void>
  /** Waits until what was changed is in force. */
  settle(): Promise<void>
  /** Sends a body as it is; the status is always 200. */
  post(path: string, body: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<ReviewResponse>
  /** Sends the review of a resource that is created. */
  review(path: string, object: JsonObject, more?: JsonObject): Promise<ReviewResponse>
  metrics(): Promise<string>
  close(): Promise<void>
}

export interface GateBenchOptions extends Partial<Omit<ClusterGateOptions, 'api' | 'clock' | 'timers'>> {
  /** Between the gate and its registries. */
  readonly registry?: (fetch: Fetch) => Fetch
  /** Not begun: what there is before the policies are loaded. */
  readonly unstarted?: boolean
}

export async function openGateBench({ registry, unstarted, ...options }: GateBenchOptions = {}): Promise<GateBench> {
  const images = await openPolicyBench()
  const time = fakeTimers()
  const cluster = createFakeCluster({ resources: POLICY_RESOURCES, clock: time.clock })
  const lines: Readonly<Record<string, unknown>>[] = []
  const fetch = registry?.(images.registry.fetch) ?? images.registry.fetch
  const refuse: Fetch = () => Promise.reject(new Error('this test allows no network'))
  const opened = openClusterGate({
    api: cluster.api,
    namespace: NAMESPACE,
    clock: time.clock,
    timers: time.timers,
    elapsed: time.clock,
    log: createLog({
      format: 'json',
      clock: time.clock,
      sink: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
    }),
    logged: 'all',
    memory: () => ({ resident: 2_000_000, heap: 1_000_000 }),
    fetch: refuse,
    registryFetch: fetch,
    insecureRegistryFetch: fetch,
    allowHttp: false,
    mirrors: new Map(),
    keychains: () => anonymousKeychain,
    random: (length) => new Uint8Array(length).fill(7),
    jitter: () => 0.5,
    exceptionsFrom: new Set(),
    pins: 'pods',
    declared: () => undefined,
    trustedRoot: () => Promise.resolve(images.pki.trusted),
    remoteText: () => Promise.reject(new Error('this test allows no network')),
    kmsKey: () => Promise.reject(new Error('this test allows no network')),
    events: false,
    reports: false,
    scanInterval: 0,
    scanRate: 100,
    ...options,
  })
  if (unstarted !== true) await opened.start()
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn++) await time.advance(100)
    // Compiling the first policy of a language loads what reads it, which no clock of a test knows of.
    if (unstarted !== true) await opened.gate.settle()
    await time.advance(100)
  }
  const post: GateBench['post'] = async (path, body, headers = {}) => {
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
    const response = await opened.gate.webhooks(new Request(`https://gate${path}`, init))
    if (response.status !== 200) throw new Error(`status ${String(response.status)}`)
    return readResponse((await response.json()) as JsonValue)
  }
  return {
    images,
    cluster,
    opened,
    time,
    log: lines,
    apply: async (...objects) => {
      for (const object of objects) cluster.put(object)
      await settle()
    },
    settle,
    post,
    review: (path, object, more) => post(path, JSON.stringify(admissionReview(object, more))),
    metrics: async () => await (await opened.gate.health(new Request('http://gate/metrics'))).text(),
    close: () => opened.close(),
  }
}

/** Throws for whatever the API server would not understand. */
function readResponse(value: JsonValue): ReviewResponse {
  const { apiVersion, kind, response } = value as unknown as {
    readonly apiVersion: string
    readonly kind: string
    readonly response: Omit<ReviewResponse, 'patch'> & { readonly patch?: string }
  }
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview') throw new Error('not an AdmissionReview')
  const { uid, allowed, status, patch, ...rest } = response
  if (typeof uid !== 'string' || typeof allowed !== 'boolean') throw new Error('uid or allowed is missing')
  if (!allowed && (status === undefined || status.code < 400 || status.message === ''))
    throw new Error('a denial does not say why')
  if (patch === undefined) return { uid, allowed, ...rest, ...(status !== undefined && { status }) }
  const text = Buffer.from(patch, 'base64').toString()
  return { uid, allowed, ...rest, patch: JSON.parse(text) as NonNullable<ReviewResponse['patch']> }
}

const RESOURCES: Readonly<
  Record<string, { readonly group: string; readonly version: string; readonly resource: string }>
> = {
  Pod: { group: '', version: 'v1', resource: 'pods' },
  PodTemplate: { group: '', version: 'v1', resource: 'podtemplates' },
  ReplicationController: { group: '', version: 'v1', resource: 'replicationcontrollers' },
  Deployment: { group: 'apps', version: 'v1', resource: 'deployments' },
  ReplicaSet: { group: 'apps', version: 'v1', resource: 'replicasets' },
  StatefulSet: { group: 'apps', version: 'v1', resource: 'statefulsets' },
  DaemonSet: { group: 'apps', version: 'v1', resource: 'daemonsets' },
  Job: { group: 'batch', version: 'v1', resource: 'jobs' },
  CronJob: { group: 'batch', version: 'v1', resource: 'cronjobs' },
}

/** A request as the API server makes it; `more` replaces fields of the request. */
export function admissionReview(object: JsonObject, more: JsonObject = {}): JsonObject {
  const kind = typeof object['kind'] === 'string' ? object['kind'] : ''
  const { group, version, resource } = RESOURCES[kind] ?? { group: 'example.com', version: 'v1', resource: 'things' }
  const metadata = (object['metadata'] ?? {}) as JsonObject
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'b4ad6b8a-8f8a-4a55-9b7a-000000000001',
      kind: { group, version, kind },
      resource: { group, version, resource },
      requestKind: { group, version, kind },
      name: metadata['name'] ?? '',
      namespace: metadata['namespace'] ?? 'default',
      operation: 'CREATE',
      userInfo: { username: 'ann', groups: ['system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      ...more,
    },
  }
}

/** A pod with containers of these images. */
export function pod(...images: readonly string[]): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: '11111111-2222-3333-4444-555555555555' },
    spec: { containers: images.map((image, index) => ({ name: `c${String(index)}`, image })) },
  }
}

/** A ClusterImagePolicy with one authority. */
export function clusterImagePolicy(name: string, authority: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name, generation: 1 },
    spec: { images: [{ glob: '**' }], authorities: [{ name: 'us', ...authority }], ...more },
  }
}
