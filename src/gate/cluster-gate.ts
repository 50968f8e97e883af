/** The gate of a cluster, put together: what it watches, how it reads registries, and the certificates that it shows. @module */
import type { Fetch } from '#clients/http/fetch'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { createBulkhead, PER_REGISTRY } from '#clients/registry/bulkhead'
import type { RandomSource } from '#crypto/random'
import { createClusterPorts } from './cluster-ports.js'
import type { NamedKeychains } from './cluster-ports.js'
import { createGate } from './gate.js'
import type { Gate, GateOptions } from './gate.js'
import { RegistryReaders } from './logins/registry-readers.js'
import { createSecretReader } from './logins/secret-reader.js'
import { Documents } from './snapshot/documents.js'
import { createClusterReader } from './sources/cluster-reader.js'
import { WatchedDocuments } from './sources/watched-documents.js'
import { DEFAULT_CACHE_LIMITS, VerificationCache } from './verification/verification-cache.js'
import type { CacheLimits } from './verification/verification-cache.js'

export interface ClusterGateOptions extends Omit<GateOptions, 'documents' | 'createPorts' | 'namespace'> {
  readonly api: KubernetesApi
  /** The installation's own. */
  readonly namespace: string
  readonly registryFetch: Fetch
  /** For rules that put up with certificates that nobody vouches for. */
  readonly insecureRegistryFetch: Fetch
  readonly allowHttp: boolean
  readonly mirrors: ReadonlyMap<string, string>
  readonly keychains: NamedKeychains
  readonly random: RandomSource
  /** A number in [0, 1). */
  readonly jitter: () => number
  readonly cache?: Partial<CacheLimits>
}

export interface ClusterGate {
  readonly gate: Gate
  /** Lists, watches, compiles; resolves when requests can be judged. */
  start(): Promise<void>
  close(): Promise<void>
}

const SALT_BYTES = 32

export function openClusterGate(options: ClusterGateOptions): ClusterGate {
  const { api, namespace, clock, timers, errorLog } = options
  const documents = new Documents()
  const cache = new VerificationCache({ limits: { ...DEFAULT_CACHE_LIMITS, ...options.cache }, clock, timers })
  const secrets = createSecretReader({ api, documents, namespace, clock })
  const readers = new RegistryReaders({
    fetch: options.registryFetch,
    insecureFetch: options.insecureRegistryFetch,
    clock,
    bulkhead: createBulkhead({ perRegistry: PER_REGISTRY }),
    mirrors: options.mirrors,
    allowHttp: options.allowHttp,
  })
  const tell = (what: string, error: unknown): void => {
    errorLog(JSON.stringify({ level: 'error', what, error: error instanceof Error ? error.message : 'unknown' }))
  }
  const cluster = createClusterReader({
    api,
    clock,
    globalContext: (name) => Promise.reject(new Error(`the global context entry ${name} is not known here`)),
  })
  const gate = createGate({
    ...options,
    documents,
    createPorts: (trust) =>
      createClusterPorts({
        namespace,
        secrets,
        readers,
        keychains: options.keychains,
        cache,
        cluster,
        trust,
        clock,
        salt: options.random(SALT_BYTES),
        onStale: tell,
      }),
  })
  const watched = new WatchedDocuments({
    api,
    documents,
    clock,
    timers,
    random: options.jitter,
    namespace,
    onTrouble: tell,
  })
  return {
    gate,
    start: async () => {
      await watched.start()
      await gate.start()
    },
    close: async () => {
      gate.close()
      await watched.stop()
    },
  }
}
