/** The gate over policies in files: to try the webhook, or to run it where there is no API server to watch. @module */
import { systemTimers } from '#clients/http/timers'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { mirroredReader } from '#clients/registry/mirrored'
import { sharedReader } from '#clients/registry/shared-reader'
import { decodeUtf8 } from '#encoding/utf8'
import { createGate, type Gate, type GateOptions } from '#gate/gate'
import { createReviewPorts } from '#gate/review-ports'
import { Documents } from '#gate/snapshot/documents'
import { KmsKeys } from '#gate/snapshot/kms-keys'
import { keyOfSecret } from '#gate/snapshot/secret-keys'
import { PolicyFiles } from '#gate/sources/policy-files'
import type { CacheLimits } from '#gate/verification/verification-cache'
import type { KeySource } from '#policy/internal/attestor'
import type { ClusterReader } from '#policy/internal/cluster'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { Host } from '../kit/host.js'
import { kmsKeysOfPolicies } from '../policy/kms-keys.js'
import { fetchInput, readTextFile } from '../read-input.js'
import { openRegistry, type RegistryFlags } from '../registry-access.js'
import { loadTrust, type TrustFlags } from '../trust.js'
import { CLOUDS } from './pace.js'

export interface FromFilesOptions {
  readonly host: Host
  readonly flags: RegistryFlags & TrustFlags
  readonly paths: readonly string[]
  readonly mirrors: ReadonlyMap<string, string>
  readonly settings: GateSettings
  readonly verbose: boolean
}

/** What the flags say of every gate. */
export type GateSettings = Pick<GateOptions, 'pins' | 'declared' | 'elapsed' | 'log' | 'logged' | 'memory'> & {
  readonly cache: Partial<CacheLimits>
}

/** A gate, wherever its policies come from. */
export interface OpenedGate {
  readonly gate: Gate
  /** Where its certificates can be kept. */
  readonly cluster: { readonly api: KubernetesApi; readonly namespace: string } | undefined
  /** Resolves when requests can be judged. */
  start(): Promise<void>
  close(): Promise<void>
}

/** A gate that is ready, and goes on to look at its files. @throws whatever is wrong with the files */
export async function openGateFromFiles(options: FromFilesOptions): Promise<OpenedGate> {
  const { host, flags, paths, settings } = options
  const documents = new Documents()
  const client = await openRegistry(flags, host, { ...CLOUDS, verbose: options.verbose })
  const content = sharedReader(mirroredReader(client, options.mirrors))
  const files = new PolicyFiles({
    paths,
    documents,
    read: (path) => readTextFile(host, path),
    timers: systemTimers,
    onProblem: (problem) => {
      settings.log.trouble('the policy files stay as they were', problem)
    },
  })
  const cluster = clusterIn(documents)
  const kmsKeys = new KmsKeys({
    load: kmsKeysOfPolicies(host, CLOUDS),
    clock: host.clock,
    timers: systemTimers,
    onStale: (uri, error) => {
      settings.log.trouble('a key cannot be had from its service; its last good form is in force', error, { key: uri })
    },
  })
  const gate = createGate({
    ...settings,
    documents,
    namespace: undefined,
    clock: host.clock,
    timers: systemTimers,
    fetch: await host.connect(),
    trustedRoot: () => loadTrust(host, flags),
    remoteText: async (url) => decodeUtf8(await fetchInput(host, url, AbortSignal.timeout(10_000))),
    exceptionsFrom: 'all',
    createPorts:
      ({ trust, cache }) =>
      (_, onVerification) =>
        createReviewPorts(content, {
          trustRoot: (name) => trust.get(name),
          trustRepository: trust.repository,
          key: async (source) =>
            source.kind === 'kms' ? await kmsKeys.get(source.uri) : { key: keyIn(documents, source) },
          cluster: cluster(),
          clock: host.clock,
          // Everything is read with the same logins.
          memory: cache.memoryFor(() => 'installation', onVerification),
        }),
  })
  await files.start()
  host.onReload(() => void files.reload())
  await gate.start()
  return {
    gate,
    cluster: undefined,
    start: () => Promise.resolve(),
    close: async () => {
      files.close()
      gate.close()
      kmsKeys.close()
    },
  }
}

/** Made of all documents once they have changed, and not for each request. */
function clusterIn(documents: Documents): () => ClusterReader {
  let made: ClusterReader | undefined
  documents.onChange(() => {
    made = undefined
  })
  return () => (made ??= clusterOfDocuments(documents.all().map(({ document }) => document)))
}

function keyIn(
  documents: Documents,
  source: Extract<KeySource, { readonly kind: 'secret' }>,
): ReturnType<typeof keyOfSecret> {
  const secrets = documents.ofKind({ group: '', kind: 'Secret' })
  const { namespace } = source
  const secret = secrets.find(
    (each) => each.name === source.name && (namespace === undefined || (each.namespace || 'default') === namespace),
  )
  if (secret !== undefined) return keyOfSecret(secret.document, source)
  throw new PolicyError('POLICY_KEY', `there is no secret ${source.name} in the files`)
}
