/** The gate of a cluster, put together: what it watches, how it reads registries, and what it tells besides its answers. @module */
import type { Fetch } from '#clients/http/fetch'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { createBulkhead, PER_REGISTRY } from '#clients/registry/bulkhead'
import type { RandomSource } from '#crypto/random'
import { createBackground } from './background/background.js'
import type { Background } from './background/background.js'
import { createClusterPorts } from './cluster-ports.js'
import type { NamedKeychains } from './cluster-ports.js'
import { createGate } from './gate.js'
import type { Gate, GateOptions, GateParts, ReviewPorts } from './gate.js'
import { RegistryReaders } from './logins/registry-readers.js'
import { createSecretReader } from './logins/secret-reader.js'
import type { SecretReader } from './logins/secret-reader.js'
import { EventWriter } from './reports/event-writer.js'
import { ReportWriter } from './reports/report-writer.js'
import { tellDecision } from './reports/tell-decision.js'
import { Documents } from './snapshot/documents.js'
import { KmsKeys, type LoadKmsKey } from './snapshot/kms-keys.js'
import { KeyKeeper } from './snapshot/key-keeper.js'
import { createClusterReader } from './sources/cluster-reader.js'
import { WatchedDocuments } from './sources/watched-documents.js'

export interface ClusterGateOptions extends Omit<
  GateOptions,
  'documents' | 'createPorts' | 'keys' | 'namespace' | 'onDecided' | 'onSnapshot'
> {
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
  readonly events: boolean
  readonly reports: boolean
  /** Of a key that a policy names at a key management service. */
  readonly kmsKey: LoadKmsKey
  /** From one scan of what runs to the next, in milliseconds; 0: none. */
  readonly scanInterval: number
  /** Resources a second. */
  readonly scanRate: number
}

export interface ClusterGate {
  readonly gate: Gate
  /** Lists, watches, compiles; resolves when requests can be judged. */
  start(): Promise<void>
  close(): Promise<void>
}

export function openClusterGate(options: ClusterGateOptions): ClusterGate {
  const { api, namespace, clock, timers, log } = options
  const documents = new Documents()
  // Assigned at once: nothing is told before there is a gate.
  const later: { background?: Background } = {}
  const told = (what: 'event' | 'report') => (outcome: 'written' | 'dropped' | 'failed') => {
    gate.gateMetrics.told(what, outcome)
  }
  const events = options.events ? new EventWriter({ api, documents, clock, onTold: told('event') }) : undefined
  const reports = options.reports
    ? new ReportWriter({ api, documents, clock, timers, onTold: told('report') })
    : undefined
  const kept = keptSecrets(options, documents)
  const gate = createGate({
    ...options,
    documents,
    keys: kept.keys,
    createPorts: (parts) => clusterPorts(options, kept, parts),
    onDecided: (decided) => {
      tellDecision(decided, { events, reports })
    },
    onSnapshot: (snapshot) => later.background?.onSnapshot(snapshot),
  })
  const background = createBackground({ ...options, documents, gate, reports })
  later.background = background
  const watched = new WatchedDocuments({
    ...{ api, documents, clock, timers, namespace },
    random: options.jitter,
    onTrouble: (resource, error) => {
      log.trouble('a resource cannot be watched; what is known of it stays', error, { resource })
    },
  })
  gate.metrics.observedGauge('countersign_watch_current', 'Whether changes of a resource arrive.', () =>
    [...watched.states].map(([resource, { contact }]) => [{ resource }, contact === 'away' ? 0 : 1]),
  )
  return {
    gate,
    start: async () => {
      await watched.start()
      await gate.start()
      background.start()
    },
    close: async () => {
      gate.close()
      kept.close()
      reports?.close()
      await background.close()
      await watched.stop()
    },
  }
}

interface KeptSecrets {
  readonly documents: Documents
  readonly secrets: SecretReader
  readonly keys: KeyKeeper
  readonly close: () => void
}

function keptSecrets(options: ClusterGateOptions, documents: Documents): KeptSecrets {
  const { api, namespace, clock, timers, log } = options
  const secrets = createSecretReader({ api, documents, namespace, clock })
  const onStale = (what: string, error: unknown): void => {
    log.trouble('a key cannot be read; its last good form is in force', error, { key: what })
  }
  const services = new KmsKeys({ load: options.kmsKey, clock, timers, onStale })
  const keys = new KeyKeeper({ secrets, services, namespace, onStale })
  return {
    documents,
    secrets,
    keys,
    close: () => {
      services.close()
    },
  }
}

const SALT_BYTES = 32

function clusterPorts(
  options: ClusterGateOptions,
  kept: KeptSecrets,
  { trust, cache, onAsked }: GateParts,
): ReviewPorts {
  const { api, namespace, clock, keychains } = options
  const readers = new RegistryReaders({
    fetch: options.registryFetch,
    insecureFetch: options.insecureRegistryFetch,
    clock,
    bulkhead: createBulkhead({ perRegistry: PER_REGISTRY, onAsked }),
    mirrors: options.mirrors,
    allowHttp: options.allowHttp,
  })
  const cluster = createClusterReader({ api, clock, documents: kept.documents })
  return createClusterPorts({
    ...{ ...kept, namespace, readers, keychains, cache, cluster, trust, clock },
    salt: options.random(SALT_BYTES),
  })
}
