/**
 * Key pairs that are kept elsewhere than in files: in the Secret of a cluster, in the variables of GitLab, the secrets of GitHub. What
 * asks these is a chunk of its own, which only such a reference loads.
 *
 * @module
 */
import type { Host } from '../../kit/host.js'
import type { KeyStore, OpenKeyStore } from './key-store.js'

const STORES: ReadonlyMap<string, () => Promise<OpenKeyStore>> = new Map([
  ['k8s', async () => (await import('./cluster-secret.js')).openClusterSecret],
  ['gitlab', async () => (await import('./gitlab-variables.js')).openGitlabStore],
  ['github', async () => (await import('./github-secrets.js')).openGithubStore],
])

/** The store that a key reference names; undefined: it names a key somewhere else. */
export async function openKeyStore(host: Host, reference: string, signal: AbortSignal): Promise<KeyStore | undefined> {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):\/\/(.*)$/s.exec(reference) ?? []
  const load = STORES.get(scheme)
  return load === undefined ? undefined : await (await load())(host, rest, signal)
}
