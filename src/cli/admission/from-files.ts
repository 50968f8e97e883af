/** The gate over policies in files: to try the webhook, or to run it where there is no API server to watch. @module */
import { systemTimers } from '#clients/http/timers'
import { mirroredReader } from '#clients/registry/mirrored'
import { decodeUtf8 } from '#encoding/utf8'
import { createGate, type Gate, type GateOptions } from '#gate/gate'
import { createReviewPorts } from '#gate/review-ports'
import { Documents } from '#gate/snapshot/documents'
import { keyOfSecret } from '#gate/snapshot/secret-keys'
import { PolicyFiles } from '#gate/sources/policy-files'
import type { KeySource } from '#policy/internal/attestor'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { Host } from '../kit/host.js'
import { fetchInput, readTextFile } from '../read-input.js'
import { openRegistry, type RegistryFlags } from '../registry-access.js'
import { loadTrust, type TrustFlags } from '../trust.js'

export interface FromFilesOptions {
  readonly host: Host
  readonly flags: RegistryFlags & TrustFlags
  readonly paths: readonly string[]
  readonly mirrors: ReadonlyMap<string, string>
  readonly settings: Pick<GateOptions, 'pins' | 'declared' | 'elapsed' | 'errorLog'>
  readonly verbose: boolean
}

/** A gate that is ready, and goes on to look at its files. @throws whatever is wrong with the files */
export async function openGateFromFiles(
  options: FromFilesOptions,
): Promise<{ readonly gate: Gate; readonly stop: () => void }> {
  const { host, flags, paths, settings } = options
  const documents = new Documents()
  const content = mirroredReader(await openRegistry(flags, host, options), options.mirrors)
  const files = new PolicyFiles({
    paths,
    documents,
    read: (path) => readTextFile(host, path),
    timers: systemTimers,
    onProblem: (problem) => {
      settings.errorLog(
        JSON.stringify({ level: 'error', error: `the policy files stay as they were: ${problem.message}` }),
      )
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
    portsFor: (_, { trust }) =>
      createReviewPorts(content, {
        trustRoot: (name) => trust.get(name),
        key: async (source) => keyIn(documents, source),
        cluster: clusterOfDocuments(documents.all().map(({ document }) => document)),
        clock: host.clock,
      }),
  })
  await files.start()
  host.onReload(() => void files.reload())
  await gate.start()
  return {
    gate,
    stop: () => {
      files.close()
    },
  }
}

function keyIn(
  documents: Documents,
  source: Exclude<KeySource, { readonly kind: 'inline' }>,
): ReturnType<typeof keyOfSecret> {
  if (source.kind === 'kms') throw new PolicyError('POLICY_KEY', `the key ${source.uri} cannot be had here`)
  const secrets = documents.ofKind({ group: '', kind: 'Secret' })
  const secret = secrets.find(({ name }) => name === source.name)
  if (secret !== undefined) return keyOfSecret(secret.document, source.name)
  throw new PolicyError('POLICY_KEY', `there is no secret ${source.name} in the files`)
}
