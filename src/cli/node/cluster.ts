/** The client of a cluster, over this machine's network and files. @module */
import type { KubernetesApi } from '#clients/kubernetes/api'
import { createKubernetesClient } from '#clients/kubernetes/client'
import { nodeAccessFiles } from '#clients/kubernetes/cluster-access'
import { createConnection } from '#clients/kubernetes/connection'
import { findAccess, type AccessOptions } from '#clients/kubernetes/find-access'
import type { Environment } from '../kit/host.js'
import { VERSION } from '../version.js'

/** @throws KubernetesError `KUBERNETES_CONFIG` if nothing says which cluster is meant */
export async function openClusterOf(env: Environment, options: AccessOptions): Promise<KubernetesApi> {
  const access = await findAccess(options, env, nodeAccessFiles)
  const random = (): number => Math.random()
  const connection = createConnection(access, {
    env,
    clock: () => Date.now(),
    random,
    userAgent: `countersign/${VERSION} (${process.platform}; ${process.arch})`,
  })
  return createKubernetesClient(connection, random)
}
