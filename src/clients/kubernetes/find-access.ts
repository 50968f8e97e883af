/** The cluster that a command or a service means when it is told little or nothing. @module */
import type { Environment } from '../http/proxy.js'
import type { AccessFiles, ClusterAccess } from './cluster-access.js'
import { inClusterAccess } from './in-cluster.js'
import { kubeconfigPaths, loadKubeconfig } from './kubeconfig.js'
import { KubernetesError } from './kubernetes-error.js'
import { selectAccess, type AccessChoice } from './select-access.js'

export interface AccessOptions extends AccessChoice {
  /** A file that is meant instead of KUBECONFIG and the home folder's. */
  readonly kubeconfig?: string | undefined
}

/**
 * In a pod its own cluster; elsewhere, and wherever a kubeconfig or a context is named, what that says.
 * @throws {@link KubernetesError} KUBERNETES_CONFIG
 */
export async function findAccess(options: AccessOptions, env: Environment, files: AccessFiles): Promise<ClusterAccess> {
  const { kubeconfig, context, cluster, user } = options
  const named = [kubeconfig, context, cluster, user, env['KUBECONFIG']].some(
    (name) => name !== undefined && name !== '',
  )
  const inside = named ? undefined : await inClusterAccess(env, files)
  if (inside !== undefined) return inside
  const paths = kubeconfigPaths(kubeconfig, env)
  const config = await loadKubeconfig(paths, files)
  if (config !== undefined) return selectAccess(config, options)
  throw new KubernetesError('KUBERNETES_CONFIG', 'nothing says which cluster is meant', {
    expected: paths.length === 0 ? 'a kubeconfig' : paths.join(', '),
    hint: 'Name a kubeconfig with KUBECONFIG, or run inside the cluster.',
  })
}
