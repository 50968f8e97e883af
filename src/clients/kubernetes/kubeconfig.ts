/** kubeconfig files, one or several: how kubectl knows its clusters. @module */
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import type { Environment } from '../http/proxy.js'
import type { AccessFiles } from './cluster-access.js'
import { KubernetesError } from './kubernetes-error.js'

/** What the files say together. Of two entries of one name the first one counts, whole, as for kubectl. */
export interface Kubeconfig {
  /** For messages. */
  readonly paths: readonly string[]
  readonly currentContext: string | undefined
  readonly contexts: ReadonlyMap<string, Entry>
  readonly clusters: ReadonlyMap<string, Entry>
  readonly users: ReadonlyMap<string, Entry>
}

/** An entry as it was written, and the folder that its relative paths start from. */
export interface Entry {
  readonly value: JsonObject
  readonly folder: string
  /** `user admin in /home/me/.kube/config` */
  readonly label: string
}

/** Files that hold certificates of many clusters are long; this is longer. */
const MAX_FILE = 8 * 1024 * 1024

/** The files that an explicit path, KUBECONFIG or the home folder names, in the order in which they count. */
export function kubeconfigPaths(explicit: string | undefined, env: Environment): readonly string[] {
  if (explicit !== undefined) return [explicit]
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '')
  if (listed.length > 0) return [...new Set(listed)]
  const home = env['HOME'] ?? ''
  return home === '' ? [] : [`${home}/.kube/config`]
}

/**
 * Reads them; one that is missing is left out, as kubectl does. Undefined if none is there.
 * @throws {@link KubernetesError} KUBERNETES_CONFIG
 */
export async function loadKubeconfig(paths: readonly string[], files: AccessFiles): Promise<Kubeconfig | undefined> {
  const read = await Promise.all(paths.map(async (path) => ({ path, bytes: await files.read(path) })))
  const present = read.flatMap(({ path, bytes }) => (bytes === undefined ? [] : [{ path, bytes }]))
  if (present.length === 0) return undefined
  const parsed = await Promise.all(present.map(({ path, bytes }) => parseKubeconfig(bytes, path)))
  return merge(parsed)
}

/**
 * Reads one file.
 * @throws {@link KubernetesError} KUBERNETES_CONFIG
 */
export async function parseKubeconfig(bytes: Uint8Array, path: string): Promise<Kubeconfig> {
  const root = await parseYaml(bytes, path)
  const named = (list: string, member: string): ReadonlyMap<string, Entry> =>
    entries(root, list, { member, path, folder: path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.' })
  const current = root['current-context']
  return {
    paths: [path],
    currentContext: typeof current === 'string' && current !== '' ? current : undefined,
    contexts: named('contexts', 'context'),
    clusters: named('clusters', 'cluster'),
    users: named('users', 'user'),
  }
}

function merge(configs: readonly Kubeconfig[]): Kubeconfig {
  const first = (select: (config: Kubeconfig) => ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> =>
    new Map(configs.toReversed().flatMap((config) => [...select(config)]))
  return {
    paths: configs.flatMap(({ paths }) => paths),
    currentContext: configs.find(({ currentContext }) => currentContext !== undefined)?.currentContext,
    contexts: first(({ contexts }) => contexts),
    clusters: first(({ clusters }) => clusters),
    users: first(({ users }) => users),
  }
}

async function parseYaml(bytes: Uint8Array, path: string): Promise<JsonObject> {
  if (bytes.length > MAX_FILE) throw malformed(path, `at most ${String(MAX_FILE)} bytes`)
  const { load, CORE_SCHEMA } = await import('js-yaml')
  let value: unknown
  try {
    value = load(decodeUtf8(bytes), { schema: CORE_SCHEMA })
  } catch {
    // Its message quotes the file, which holds secrets.
    throw malformed(path, 'YAML')
  }
  // The core schema has what JSON has, and numbers that JSON cannot write; nothing here reads numbers.
  const json = value as JsonValue | undefined
  if (!isJsonObject(json) || (json['kind'] !== undefined && json['kind'] !== 'Config')) {
    throw malformed(path, 'kind: Config')
  }
  return json
}

interface Place {
  readonly member: string
  readonly path: string
  readonly folder: string
}

function entries(root: JsonObject, list: string, { member, path, folder }: Place): ReadonlyMap<string, Entry> {
  const items = root[list] ?? []
  if (!Array.isArray(items)) throw malformed(path, `${list}: a list`)
  const found = new Map<string, Entry>()
  for (const item of items as readonly JsonValue[]) {
    const name = isJsonObject(item) ? item['name'] : undefined
    const value = isJsonObject(item) ? (item[member] ?? {}) : undefined
    if (typeof name !== 'string' || !isJsonObject(value)) throw malformed(path, `${list}: each with name and ${member}`)
    if (!found.has(name)) found.set(name, { value, folder, label: `${member} ${name} in ${path}` })
  }
  return found
}

function malformed(path: string, expected: string): KubernetesError {
  return new KubernetesError('KUBERNETES_CONFIG', `${path} is not a kubeconfig`, {
    expected,
    hint: 'kubectl config view shows what kubectl makes of it.',
  })
}
