/** The gate in a test cluster: installed from its manifests, run by processes that log in as its service account. @module */
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { must, serve, type Server } from '../interop/processes.js'
import type { TestCluster } from './cluster.js'
import type { Endpoint } from './service-network.js'

export const COUNTERSIGN: string = resolve(import.meta.dirname, '../../../bin/countersign')
export const NAMESPACE = 'countersign-system'
const SERVICE_ACCOUNT = 'countersign-admission'

/** Applies what `countersign manifests` prints. */
export async function install(cluster: TestCluster, ...flags: readonly string[]): Promise<void> {
  const input = await must(COUNTERSIGN, ['manifests', ...flags])
  const { code, stderr } = await cluster.kubectl(['apply', '--validate=strict', '-f', '-'], { input })
  if (code !== 0) throw new Error(stderr)
}

/** One replica. */
export interface Replica {
  readonly endpoint: Endpoint
  /** Of `/readyz` and `/metrics`. */
  readonly health: string
  log(): string
  /** As the kubelet does: out of the service, then SIGTERM. */
  leave(): Promise<void>
  /** Without a word, and still in the service. */
  stop(): Promise<void>
}

export interface ReplicaOptions {
  readonly flags?: readonly string[]
}

/** Starts a replica and puts it into the service once it is ready. */
export async function startReplica(cluster: TestCluster, { flags = [] }: ReplicaOptions = {}): Promise<Replica> {
  const kubeconfig = await gateKubeconfig(cluster)
  const addresses = (output: string): { readonly webhooks: string; readonly health: string } | undefined => {
    const line = output.split('\n').find((each) => each.startsWith('{"webhooks":'))
    return line === undefined ? undefined : (JSON.parse(line) as { webhooks: string; health: string })
  }
  const listening = ['--port', '0', '--health-port', '0', '--output', 'json', '--shutdown-delay', '2s']
  const server = await serve(
    COUNTERSIGN,
    ['admission', '--kubeconfig', kubeconfig, '--namespace', NAMESPACE, ...listening, ...flags],
    async (output) => {
      const found = addresses(output)
      if (found === undefined) return undefined
      const response = await fetch(`${found.health}/readyz`).catch(() => undefined)
      return response?.ok === true ? found : undefined
    },
  )
  return inService(cluster, server)
}

function inService(
  cluster: TestCluster,
  server: Server & { readonly ready: { readonly webhooks: string; readonly health: string } },
): Replica {
  const { hostname, port } = new URL(server.ready.webhooks)
  const endpoint = { host: hostname, port: Number(port) }
  cluster.network.add(endpoint)
  return {
    endpoint,
    health: server.ready.health,
    log: () => server.output(),
    leave: async () => {
      cluster.network.remove(endpoint)
      await server.stop()
    },
    stop: () => server.kill(),
  }
}

/** A kubeconfig with nothing but the service account's token, as a pod has it. */
async function gateKubeconfig(cluster: TestCluster): Promise<string> {
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  }
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${SERVICE_ACCOUNT}/token`
  const issued = (await cluster.admin.call(path, { method: 'POST', body: request })) as {
    readonly status: { readonly token: string }
  }
  const folder = await mkdtemp(join(cluster.folder, 'gate-'))
  const file = join(folder, 'kubeconfig')
  await writeFile(join(folder, 'token'), issued.status.token)
  const access = { server: cluster.server, 'certificate-authority': cluster.certificates.ca }
  const config = {
    'current-context': 'gate',
    clusters: [{ name: 'test', cluster: access }],
    users: [{ name: 'gate', user: { tokenFile: 'token' } }],
    contexts: [{ name: 'gate', context: { cluster: 'test', user: 'gate' } }],
  }
  await writeFile(file, JSON.stringify(config))
  return file
}

/** What a replica counts. */
export async function metrics(replica: Replica): Promise<string> {
  const response = await fetch(`${replica.health}/metrics`)
  return await response.text()
}

const SHARED_POLICIES = join(process.env['SHARED'] ?? '../shared', 'policies')

/** A file of the checkout's neighbour with policies of others, unchanged. */
export async function sharedPolicy(path: string): Promise<string> {
  return await readFile(join(SHARED_POLICIES, path), 'utf8')
}

/** All files of a folder there. */
export async function sharedPolicies(
  folder: string,
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const names = (await readdir(join(SHARED_POLICIES, folder))).filter((name) => name.endsWith('.yaml')).sort()
  return await Promise.all(
    names.map(async (name) => ({ path: `${folder}/${name}`, text: await sharedPolicy(`${folder}/${name}`) })),
  )
}
