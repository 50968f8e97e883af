/** The cluster that we run in, as every pod finds it. @module */
import { decodeUtf8 } from '#encoding/utf8'
import type { Environment } from '../http/proxy.js'
import type { AccessFiles, ClusterAccess } from './cluster-access.js'
import { KubernetesError } from './kubernetes-error.js'

/** Where the kubelet puts what a service account needs. */
const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN = `${FOLDER}/token`
const AUTHORITY = `${FOLDER}/ca.crt`
const NAMESPACE = `${FOLDER}/namespace`

/**
 * Undefined outside a cluster. The token's and the authority's files are named, not read: both are replaced while we run.
 * @throws {@link KubernetesError} KUBERNETES_CONFIG in a pod without a service account.
 */
export async function inClusterAccess(env: Environment, files: AccessFiles): Promise<ClusterAccess | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = env['KUBERNETES_SERVICE_PORT'] ?? ''
  if (host === '' || port === '') return undefined
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!URL.canParse(server)) throw unusable('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT', 'a host and a port')
  if ((await files.read(TOKEN)) === undefined) throw unusable(TOKEN, 'the token of a service account')
  const namespace = await files.read(NAMESPACE)
  return {
    server,
    tls: {
      ca: { kind: 'file', path: AUTHORITY },
      certificate: undefined,
      key: undefined,
      serverName: undefined,
      insecureSkipVerify: false,
    },
    credential: { kind: 'token-file', path: TOKEN },
    impersonation: {},
    proxyUrl: undefined,
    namespace: namespace === undefined ? 'default' : decodeUtf8(namespace).trim(),
  }
}

function unusable(what: string, expected: string): KubernetesError {
  return new KubernetesError('KUBERNETES_CONFIG', `${what} does not tell how to reach the cluster`, {
    expected,
    hint: 'Run the pod with a service account (automountServiceAccountToken), or give a kubeconfig.',
  })
}
