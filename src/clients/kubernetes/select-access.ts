/** From a kubeconfig to one cluster and one user. @module */
import { decodeBase64Any } from '#encoding/base64'
import { isJsonObject, type JsonValue } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { ClusterAccess, ClusterCredential, CredentialProgram, Material } from './cluster-access.js'
import type { Entry, Kubeconfig } from './kubeconfig.js'
import { KubernetesError } from './kubernetes-error.js'

/** What of a kubeconfig to use; what is not said is the current context's. */
export interface AccessChoice {
  readonly context?: string | undefined
  readonly cluster?: string | undefined
  readonly user?: string | undefined
  readonly namespace?: string | undefined
}

/** @throws {@link KubernetesError} KUBERNETES_CONFIG */
export function selectAccess(config: Kubeconfig, choice: AccessChoice = {}): ClusterAccess {
  const contextName = choice.context ?? config.currentContext
  const context = contextName === undefined ? undefined : find(config, 'contexts', contextName)
  const clusterName = choice.cluster ?? text(context, 'cluster')
  if (clusterName === undefined) {
    throw unusable(`${config.paths.join(', ')} names no cluster`, 'a current-context', 'Choose one with --context.')
  }
  const cluster = find(config, 'clusters', clusterName)
  const userName = choice.user ?? text(context, 'user')
  const user = userName === undefined ? undefined : find(config, 'users', userName)
  return {
    server: serverOf(cluster),
    tls: tlsOf(cluster, user),
    credential: credentialOf(user),
    impersonation: impersonationOf(user),
    proxyUrl: text(cluster, 'proxy-url'),
    namespace: choice.namespace ?? text(context, 'namespace') ?? 'default',
  }
}

function find(config: Kubeconfig, list: 'contexts' | 'clusters' | 'users', name: string): Entry {
  const entry = config[list].get(name)
  if (entry !== undefined) return entry
  throw unusable(
    `${config.paths.join(', ')} has no entry ${name} under ${list}`,
    [...config[list].keys()].slice(0, 20).join(', ') || 'at least one entry',
    'kubectl config get-contexts lists them.',
  )
}

function serverOf(cluster: Entry): string {
  const server = text(cluster, 'server') ?? ''
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw unusable(`${cluster.label}: server is no address`, 'https://host:port')
  }
  return server.replace(/\/+$/, '')
}

function tlsOf(cluster: Entry, user: Entry | undefined): ClusterAccess['tls'] {
  const ca = material(cluster, 'certificate-authority')
  const insecureSkipVerify = flag(cluster, 'insecure-skip-tls-verify')
  if (insecureSkipVerify && ca !== undefined) {
    throw unusable(`${cluster.label}: an authority is named, and insecure-skip-tls-verify ignores it`, 'one of the two')
  }
  const certificate = user === undefined ? undefined : material(user, 'client-certificate')
  const key = user === undefined ? undefined : material(user, 'client-key')
  if ((certificate === undefined) !== (key === undefined)) {
    throw unusable(`${user?.label ?? ''}: a client certificate and its key belong together`, 'both of them')
  }
  return { ca, certificate, key, serverName: text(cluster, 'tls-server-name'), insecureSkipVerify }
}

/** `name-data` comes before `name`, as for kubectl. */
function material(entry: Entry, name: string): Material | undefined {
  const data = text(entry, `${name}-data`)
  if (data === undefined) {
    const path = text(entry, name)
    return path === undefined ? undefined : { kind: 'file', path: absolute(path, entry) }
  }
  try {
    return { kind: 'text', pem: decodeUtf8(decodeBase64Any(data)) }
  } catch (error) {
    // No cause: it would show what may be a key.
    if (isCodedError(error)) throw unusable(`${entry.label}: ${name}-data cannot be read`, 'base64 of PEM')
    throw error
  }
}

function credentialOf(user: Entry | undefined): ClusterCredential {
  if (user === undefined) return { kind: 'none' }
  const { exec, 'auth-provider': provider } = user.value
  if (provider !== undefined && provider !== null) {
    throw unusable(
      `${user.label}: auth-provider is no longer used by Kubernetes`,
      'exec',
      'Use the provider’s credential plugin (gke-gcloud-auth-plugin, kubelogin, …).',
    )
  }
  // A file of a token comes before the token: it is the one that is kept fresh.
  const file = text(user, 'tokenFile')
  if (file !== undefined) return { kind: 'token-file', path: absolute(file, user) }
  const token = text(user, 'token')
  if (token !== undefined) return { kind: 'token', token }
  const username = text(user, 'username')
  if (username !== undefined) return { kind: 'basic', username, password: text(user, 'password') ?? '' }
  if (exec === undefined || exec === null) return { kind: 'none' }
  return { kind: 'program', program: parseProgram(exec, user) }
}

const EXEC_VERSIONS: readonly string[] = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

function parseProgram(value: JsonValue, user: Entry): CredentialProgram {
  if (!isJsonObject(value)) throw unusable(`${user.label}: exec is malformed`, 'an object')
  const exec: Entry = { value, folder: user.folder, label: `${user.label}: exec` }
  const apiVersion = text(exec, 'apiVersion') ?? ''
  const command = text(exec, 'command')
  if (!EXEC_VERSIONS.includes(apiVersion)) {
    throw unusable(`${exec.label} speaks a version that we do not`, EXEC_VERSIONS.join(' or '))
  }
  if (command === undefined) throw unusable(`${exec.label} has no command`, 'the name of a program')
  if (text(exec, 'interactiveMode') === 'Always') {
    throw unusable(`${exec.label} wants to talk to a person`, 'interactiveMode: Never or IfAvailable')
  }
  const args = value['args'] ?? []
  const isText = (arg: JsonValue): arg is string => typeof arg === 'string'
  if (!Array.isArray(args) || !(args as readonly JsonValue[]).every(isText)) {
    throw unusable(`${exec.label}: args are malformed`, 'a list of texts')
  }
  return {
    apiVersion,
    // A bare name is looked up on PATH; what has a slash is a path from the file's folder.
    command: command.includes('/') ? absolute(command, exec) : command,
    args: args as readonly string[],
    env: environmentOf(value['env'] ?? [], exec),
    installHint: text(exec, 'installHint'),
    provideClusterInfo: flag(exec, 'provideClusterInfo'),
  }
}

function environmentOf(value: JsonValue, exec: Entry): Readonly<Record<string, string>> {
  const pairs = (Array.isArray(value) ? (value as readonly JsonValue[]) : [null]).map((item) => {
    const name = isJsonObject(item) ? item['name'] : undefined
    const set = isJsonObject(item) ? (item['value'] ?? '') : undefined
    if (typeof name !== 'string' || typeof set !== 'string') {
      throw unusable(`${exec.label}: env is malformed`, 'a list of name and value')
    }
    return [name, set] as const
  })
  return Object.fromEntries(pairs)
}

function impersonationOf(user: Entry | undefined): Readonly<Record<string, string>> {
  const as = text(user, 'as')
  if (user === undefined || as === undefined) return {}
  const groups = user.value['as-groups'] ?? []
  const extra = user.value['as-user-extra']
  const list = Array.isArray(groups) ? (groups as readonly JsonValue[]) : [null]
  if (list.length > 1 || list.some((group) => typeof group !== 'string') || (extra !== undefined && extra !== null)) {
    throw unusable(`${user.label}: that much impersonation is not supported`, 'as, as-uid and one of as-groups')
  }
  const uid = text(user, 'as-uid')
  const [group] = list as readonly string[]
  return {
    'Impersonate-User': as,
    ...(uid !== undefined && { 'Impersonate-Uid': uid }),
    ...(group !== undefined && { 'Impersonate-Group': group }),
  }
}

function text(entry: Entry | undefined, name: string): string | undefined {
  const value = entry?.value[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw unusable(`${entry?.label ?? ''}: ${name} is malformed`, 'a text')
}

function flag(entry: Entry, name: string): boolean {
  const value = entry.value[name] ?? false
  if (typeof value === 'boolean') return value
  throw unusable(`${entry.label}: ${name} is malformed`, 'true or false')
}

function absolute(path: string, { folder }: Pick<Entry, 'folder'>): string {
  return path.startsWith('/') ? path : `${folder}/${path}`
}

function unusable(message: string, expected: string, hint?: string): KubernetesError {
  return new KubernetesError('KUBERNETES_CONFIG', message, { expected, hint })
}
