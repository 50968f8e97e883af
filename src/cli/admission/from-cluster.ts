/** The gate of the cluster that this runs in, or that a kubeconfig names. @module */
import type { Fetch } from '#clients/http/fetch'
import { systemTimers } from '#clients/http/timers'
import { CLOUD_NAMES } from '#clients/registry/cloud/cloud-keychain'
import { explicitKeychain, firstOf, renewed } from '#clients/registry/credentials'
import { machineKeychain } from '#clients/registry/keychain'
import { randomBytes } from '#crypto/random'
import { decodeUtf8 } from '#encoding/utf8'
import { openClusterGate } from '#gate/cluster-gate'
import type { NamedKeychains } from '#gate/cluster-ports'
import { DEFAULT_NAMESPACE } from '#gate/installation'
import type { ExceptionNamespaces } from '#gate/snapshot/exception-shelf'
import { openCloudKeychains } from '../cloud-logins.js'
import type { Host } from '../kit/host.js'
import { kmsKeysOfPolicies } from '../policy/kms-keys.js'
import { fetchInput } from '../read-input.js'
import type { RegistryFlags } from '../registry-access.js'
import { loadTrust, type TrustFlags } from '../trust.js'
import type { GateSettings, OpenedGate } from './from-files.js'
import { CLOUDS, REGISTRY_PACE } from './pace.js'

export interface ClusterFlags {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly namespace: string | undefined
  readonly 'exceptions-from': readonly string[]
  readonly events: boolean
  readonly reports: boolean
  readonly 'scan-interval': number
  readonly 'scan-rate': number
}

export interface FromClusterOptions {
  readonly host: Host
  readonly flags: ClusterFlags & RegistryFlags & TrustFlags
  readonly mirrors: ReadonlyMap<string, string>
  readonly settings: GateSettings
  readonly verbose: boolean
}

/** Not begun yet. @throws KubernetesError `KUBERNETES_CONFIG` if nothing says which cluster is meant */
export async function openGateFromCluster(options: FromClusterOptions): Promise<OpenedGate> {
  const { host, flags, settings, mirrors } = options
  const { kubeconfig, context } = flags
  const api = await host.openCluster({ kubeconfig, context })
  const namespace = flags.namespace ?? (await ownNamespace(host)) ?? DEFAULT_NAMESPACE
  const registryFetch = await connectRegistry(options, false)
  const opened = openClusterGate({
    ...settings,
    api,
    namespace,
    clock: host.clock,
    timers: systemTimers,
    random: randomBytes,
    jitter: () => Math.random(),
    fetch: await host.connect(),
    registryFetch,
    insecureRegistryFetch: await connectRegistry(options, true),
    allowHttp: flags['allow-http-registry'],
    mirrors,
    events: flags.events,
    reports: flags.reports,
    scanInterval: flags['scan-interval'],
    scanRate: Math.max(1, flags['scan-rate']),
    keychains: await keychainsOf(host, flags),
    kmsKey: kmsKeysOfPolicies(host, CLOUDS),
    exceptionsFrom: exceptionNamespaces(flags['exceptions-from']),
    trustedRoot: () => loadTrust(host, flags),
    remoteText: async (url) => decodeUtf8(await fetchInput(host, url, AbortSignal.timeout(10_000))),
  })
  return { ...opened, cluster: { api, namespace } }
}

/** Where the kubelet says which namespace this runs in. */
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

async function ownNamespace(host: Host): Promise<string | undefined> {
  if (!(await host.files.exists(NAMESPACE_FILE))) return undefined
  return decodeUtf8(await host.files.read(NAMESPACE_FILE)).trim() || undefined
}

function connectRegistry({ host, flags, verbose }: FromClusterOptions, insecure: boolean): Promise<Fetch> {
  return host.connect({
    verbose,
    pace: REGISTRY_PACE,
    tls: {
      caFile: flags['registry-cacert'],
      clientCertificateFile: flags['registry-client-cert'],
      clientKeyFile: flags['registry-client-key'],
      serverName: flags['registry-server-name'],
      insecureSkipVerify: insecure || flags['allow-insecure-registry'],
    },
  })
}

const RENEW = 5 * 60_000

/** What the installation itself has; rules may name some of it. */
async function keychainsOf(host: Host, flags: RegistryFlags): Promise<NamedKeychains> {
  const given = explicitKeychain({
    username: flags['registry-username'],
    password: flags['registry-password'],
    token: flags['registry-token'],
  })
  const { environment: env, clock } = host
  // Mounted logins are replaced, and tokens of helpers and clouds run out, while this process goes on.
  const machine = firstOf(
    given,
    renewed(() => machineKeychain({ env }), { millis: RENEW, clock }),
  )
  const openClouds = await openCloudKeychains(host, CLOUDS)
  const clouds = new Map(
    CLOUD_NAMES.map((name) => [name, renewed(() => openClouds([name]), { millis: RENEW, clock })] as const),
  )
  return (names) => {
    const isNamed = (name: string): boolean => names.length === 0 || names.includes(name)
    return firstOf(
      ...(isNamed('default') ? [machine] : []),
      ...[...clouds].flatMap(([name, keychain]) => (isNamed(name) ? [keychain] : [])),
    )
  }
}

function exceptionNamespaces(names: readonly string[]): ExceptionNamespaces {
  return names.includes('*') ? 'all' : new Set(names)
}
