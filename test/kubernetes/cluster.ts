/** A real Kubernetes control plane for a test: etcd, the API server, the controllers; no nodes, so that no pod ever runs. @module */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { createKubernetesClient } from '#clients/kubernetes/client'
import { nodeAccessFiles } from '#clients/kubernetes/cluster-access'
import { createConnection } from '#clients/kubernetes/connection'
import { findAccess } from '#clients/kubernetes/find-access'
import { run, serve } from '../interop/processes.js'
import type { Finished, RunOptions, Server } from '../interop/processes.js'
import { issueCertificates, type ClusterCertificates } from './certificates.js'
import { Opened } from './opened.js'
import { startServiceNetwork, type ServiceNetwork } from './service-network.js'

/** One program that is all of them, and kubectl and helm, as `scripts/control-plane.mjs` built it and `scripts/kubernetes.mjs` says. */
export function controlPlane(): string {
  const path = process.env['CONTROL_PLANE']
  if (path === undefined) throw new Error('CONTROL_PLANE is not set: make e2e-kubernetes')
  return path
}

/** Users that log in with a token of their own name; roles are the test's to give, but for `admin`, who may do everything. */
export const USERS = ['admin', 'alice', 'bob'] as const
export type User = (typeof USERS)[number]

export interface TestCluster {
  readonly server: string
  readonly folder: string
  readonly certificates: ClusterCertificates
  /** A file with one context a user, and `admin`’s as the current one. */
  readonly kubeconfig: string
  readonly admin: KubernetesApi
  /** Between the API server and the webhooks behind services. */
  readonly network: ServiceNetwork
  /** A client for a context of the kubeconfig, or for another kubeconfig. */
  connect(context: string, kubeconfig?: string): Promise<KubernetesApi>
  kubectl(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** Kills the API server; etcd keeps what it has. */
  killApiServer(): Promise<void>
  startApiServer(): Promise<void>
  /** What the API server said. */
  log(): string
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** Deployments make pods, jobs too, namespaces get their service account. */
  readonly controllers?: boolean
}

export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const opened = new Opened()
  try {
    return await start(options, opened)
  } catch (error) {
    await opened.stop()
    throw error
  }
}

async function start({ controllers = false }: ClusterOptions, opened: Opened): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'))
  opened.add({ stop: () => rm(folder, { recursive: true, force: true }) })
  const certificates = await issueCertificates(folder)
  const network = opened.add(await startServiceNetwork(folder))
  const [etcdPort, peerPort, port] = await freePorts(3)
  const etcd = await startEtcd(folder, etcdPort, peerPort)
  opened.add({ stop: () => etcd.kill() })
  const server = `https://127.0.0.1:${String(port)}`
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, kubeconfigFor(server, certificates))
  const tokens = USERS.map((user) => `${user},${user},${user}${user === 'admin' ? ',system:masters' : ''}\n`)
  await writeFile(join(folder, 'tokens.csv'), tokens.join(''))
  const connect = async (context: string, file = kubeconfig): Promise<KubernetesApi> => {
    const access = await findAccess({ kubeconfig: file, context }, {}, nodeAccessFiles)
    const connection = createConnection(access, {
      env: {},
      clock: () => Date.now(),
      random: () => Math.random(),
      userAgent: 'countersign-test',
    })
    opened.add({
      stop: async () => {
        connection.close()
      },
    })
    return createKubernetesClient(connection, () => Math.random())
  }
  const admin = await connect('admin')
  const startApi = (): Promise<Server> =>
    startApiServer(apiServerFlags(folder, { certificates, network, etcdPort, port }), admin)
  let api = await startApi()
  // In an orderly shutdown the API server would wait a minute for its watches.
  opened.add({ stop: () => api.kill() })
  if (controllers) {
    const manager = await startControllers(kubeconfig, certificates)
    opened.add({ stop: () => manager.kill() })
  }
  return {
    server,
    folder,
    certificates,
    kubeconfig,
    admin,
    network,
    connect,
    kubectl: (args, options = {}) =>
      run(
        controlPlane(),
        ['kubectl', '--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'cache'), ...args],
        options,
      ),
    killApiServer: () => api.kill(),
    startApiServer: async () => {
      api = await startApi()
    },
    log: () => api.output(),
    stop: () => opened.stop(),
  }
}

async function startEtcd(folder: string, port: number, peerPort: number): Promise<Server> {
  const client = `http://127.0.0.1:${String(port)}`
  const peer = `http://127.0.0.1:${String(peerPort)}`
  const flags = {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
  }
  return await serve('etcd', [...flagList(flags), '--unsafe-no-fsync'], async () => {
    const response = await fetch(`${client}/health`).catch(() => undefined)
    return response?.ok === true ? true : undefined
  })
}

interface ApiServerSettings {
  readonly certificates: ClusterCertificates
  readonly network: ServiceNetwork
  readonly etcdPort: number
  readonly port: number
}

function apiServerFlags(
  folder: string,
  { certificates: { ca, server, serviceAccountKey }, network, etcdPort, port }: ApiServerSettings,
): readonly string[] {
  return flagList({
    'etcd-servers': `http://127.0.0.1:${String(etcdPort)}`,
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    'cert-dir': folder,
    'tls-cert-file': server.certificate,
    'tls-private-key-file': server.key,
    'client-ca-file': ca,
    'token-auth-file': join(folder, 'tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': serviceAccountKey,
    'service-account-signing-key-file': serviceAccountKey,
    'service-cluster-ip-range': '10.0.0.0/16',
    'egress-selector-config-file': network.egressFile,
    'endpoint-reconciler-type': 'none',
  })
}

async function startApiServer(flags: readonly string[], admin: KubernetesApi): Promise<Server> {
  return await serve(controlPlane(), ['kube-apiserver', ...flags], async () => {
    try {
      // Made by the server itself once everything else is there.
      await admin.get({ apiVersion: 'v1', resource: 'namespaces', name: 'default' })
      return true
    } catch {
      return undefined
    }
  })
}

const CONTROLLERS = [
  ...['deployment-controller', 'replicaset-controller', 'job-controller', 'cronjob-controller'],
  ...['statefulset-controller', 'daemonset-controller', 'namespace-controller', 'garbage-collector-controller'],
  ...['serviceaccount-controller', 'root-ca-certificate-publisher-controller'],
]

async function startControllers(kubeconfig: string, { ca, serviceAccountKey }: ClusterCertificates): Promise<Server> {
  const flags = flagList({
    kubeconfig,
    controllers: CONTROLLERS.join(','),
    'root-ca-file': ca,
    'service-account-private-key-file': serviceAccountKey,
    'leader-elect': 'false',
    'secure-port': '0',
  })
  return await serve(controlPlane(), ['kube-controller-manager', ...flags], (output) =>
    output.includes('Caches are synced') ? true : undefined,
  )
}

/** Tokens for all, and for `root` a client certificate. */
function kubeconfigFor(server: string, { ca, admin }: ClusterCertificates): string {
  const users = USERS.map((name) => ({ name, user: { token: name } }))
  const root = { name: 'root', user: { 'client-certificate': admin.certificate, 'client-key': admin.key } }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'admin',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
    users: [...users, root],
    contexts: [...users, root].map(({ name }) => ({ name, context: { cluster: 'test', user: name } })),
  })
}

function flagList(flags: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

/** Ports that nobody listens on at this moment, each another one. */
async function freePorts(count: 3): Promise<readonly [number, number, number]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const [a = 0, b = 0, c = 0] = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(
    servers.map(async (server) => {
      server.close()
      await once(server, 'close')
    }),
  )
  return [a, b, c]
}
