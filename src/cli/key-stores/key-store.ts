/**
 * Key pairs that are kept elsewhere than in files: in the Secret of a cluster, in the variables of GitLab, the secrets of GitHub. What
 * asks these is a chunk of its own, which only such a reference loads.
 *
 * @module
 */
import type { Host } from '../kit/host.js'

export interface StoredKeyPair {
  /** The private key, encrypted under the password: a key file of cosign's, as text. */
  readonly sealed: Uint8Array
  /** PEM. */
  readonly publicKey: Uint8Array
  readonly password: Uint8Array
}

export type KeyPart = keyof StoredKeyPair

export interface KeyStore {
  /** Where it is, for messages: `the secret team-a/release`. */
  readonly place: string
  /** Whether there is anything that writing would replace. */
  holds(): Promise<boolean>
  /** @throws CliError `CLI_INPUT` for a part that is not there, `CLI_UNSUPPORTED` where nothing can be read again */
  read(part: KeyPart): Promise<Uint8Array>
  /**
   * Stores all of it, or leaves what was there.
   * @returns what was done, a line each
   * @throws CliError `CLI_KEY_EXISTS` for a key pair that cannot be replaced
   */
  write(pair: StoredKeyPair): Promise<readonly string[]>
}

/** Opens what is behind `scheme://reference`. */
export type OpenKeyStore = (host: Host, reference: string, signal: AbortSignal) => Promise<KeyStore>

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
