/** The files that `policy test` and `policy explain` read: policies, and what policies refer to. @module */
import { publicKeyFromPem } from '#crypto/public-key'
import type { PublicKey } from '#crypto/public-key'
import { decodeBase64 } from '#encoding/base64'
import { decodeUtf8 } from '#encoding/utf8'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { CompilePorts } from '#policy/cip/policy-text'
import {
  CONTROLLER_CONFIG_NAME,
  DEFAULT_CONTROLLER_CONFIG,
  readControllerConfig,
  type ControllerConfig,
} from '#policy/cip/controller-config'
import { isTrustRoot, readTrustRoot } from '#policy/cip/trust-root'
import { compileException, compilePolicy, isException, isPolicy } from '#policy/front-ends'
import type { JsonObject } from '#encoding/json'
import type { KeySource, KnownKey } from '#policy/internal/attestor'
import type { ClusterReader } from '#policy/internal/cluster'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { readDocuments, type ReadDocument } from '#policy/internal/documents'
import { Complaints, Fields } from '#policy/internal/fields'
import type { CompiledException } from '#policy/internal/exception'
import { PolicyError } from '#policy/internal/policy-error'
import type { TrustRepository } from '#policy/internal/trust-repository'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { Host } from '../kit/host.js'
import { fetchInput, readTextFile } from '../read-input.js'
import { kmsKeysOfPolicies } from './kms-keys.js'

/** What the files say together. */
export interface PolicyFiles {
  readonly policies: readonly CompiledPolicy[]
  readonly exceptions: readonly CompiledException[]
  /** What happens to an image that no policy is about. */
  readonly unmatched: ControllerConfig['noMatch']
  /** The documents as a cluster that policies can read. */
  readonly cluster: ClusterReader
  trustRoot(name: string): Promise<TrustedRoot>
  /** Of a TUF repository that a policy names itself. */
  readonly trustRepository: (repository: TrustRepository) => Promise<TrustedRoot>
  readonly key: (source: Exclude<KeySource, { readonly kind: 'inline' }>, signal: AbortSignal) => Promise<KnownKey>
}

/**
 * Reads and compiles. A ConfigMap, a Secret or a TrustRoot may stand in any of the files, in any order.
 * @throws PolicyError, with the name of the document
 */
export async function loadPolicyFiles(host: Host, paths: readonly string[], signal: AbortSignal): Promise<PolicyFiles> {
  const texts = await Promise.all(paths.map(async (path) => ({ path, text: await readTextFile(host, path) })))
  const documents = (await Promise.all(texts.map(({ path, text }) => readDocuments(text, path)))).flat()
  const configMaps = objectsNamed(documents, 'ConfigMap')
  const secrets = documents.filter(({ value }) => isKind(value, 'Secret'))
  const settings = configMaps.get(CONTROLLER_CONFIG_NAME)
  const config = settings === undefined ? DEFAULT_CONTROLLER_CONFIG : readControllerConfig(settings.value)
  const ports: CompilePorts = {
    remoteText: async (url) => decodeUtf8(await fetchInput(host, url, signal)),
    clock: host.clock,
    configMapText: (name, key) => Promise.resolve(textIn(configMaps, name, key)),
  }
  const roots = trustRoots(documents)
  const known = documents.filter(
    ({ value }) => !isTrustRoot(value) && !isException(value) && !isKind(value, ...REFERRED_TO),
  )
  const policies = await Promise.all(
    known.map(async ({ value, label }) => {
      return await named(label, () =>
        compilePolicy(value, { ports, failOnEmptyAuthorities: config.failOnEmptyAuthorities }),
      )
    }),
  )
  if (policies.length === 0) throw new PolicyError('POLICY_KIND', `there is no policy in ${paths.join(', ')}`)
  const exceptions = await Promise.all(
    documents
      .filter(({ value }) => isException(value))
      .map(({ value, label }) => named(label, () => compileException(value))),
  )
  // Only Sigstore's policies claim every image of a cluster.
  const claimed = policies.some(({ language }) => language === 'ClusterImagePolicy')
  return {
    policies,
    exceptions,
    unmatched: claimed ? config.noMatch : 'allow',
    cluster: clusterOfDocuments(documents.map(({ value }) => value)),
    trustRoot: (name) => rootNamed(host, roots, name),
    trustRepository: repositoryLoader(host),
    key: keyLoader(host, secrets),
  }
}

/** What policies may read or name, and what is no policy itself. */
const REFERRED_TO = [
  'ConfigMap',
  'Secret',
  'Namespace',
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
]

function isKind({ kind }: ReadDocument['value'], ...kinds: readonly string[]): boolean {
  return typeof kind === 'string' && kinds.includes(kind)
}

type Named = ReadonlyMap<string, ReadDocument>

function objectsNamed(documents: readonly ReadDocument[], kind: string): Named {
  return new Map(
    documents
      .filter(({ value }) => isKind(value, kind) && !isPolicy(value))
      .map((document) => [metadataName(document), document] as const),
  )
}

function metadataName({ value }: ReadDocument): string {
  return nameIn(value, 'name')
}

/** Of what says no namespace, it is `default`. */
function nameIn(value: JsonObject, field: 'name' | 'namespace'): string {
  const text = new Fields(value, '', new Complaints()).object('metadata')?.text(field)
  return text ?? (field === 'namespace' ? 'default' : '')
}

function textIn(configMaps: Named, name: string, key: string): string {
  const document = configMaps.get(name)
  const text = document === undefined ? undefined : dataOf(document, 'data').get(key)
  if (text !== undefined) return text
  throw new PolicyError('POLICY_TEXT', `there is no ConfigMap ${name} with ${key} in the files`, {
    hint: 'give the file that it is in with --policy, too',
  })
}

function dataOf({ value }: ReadDocument, field: string): ReadonlyMap<string, string> {
  return new Fields(value, '', new Complaints()).textMap(field)
}

/** A key at a service is fetched once, however many policies name it for however many resources. */
function keyLoader(host: Host, secrets: readonly ReadDocument[]): PolicyFiles['key'] {
  const fetched = new Map<string, Promise<KnownKey>>()
  const load = kmsKeysOfPolicies(host, { programs: 'any' })
  return async (source, signal) => {
    if (source.kind === 'secret') return { key: keyFrom(secrets, source) }
    const pending = fetched.get(source.uri) ?? load(source.uri, signal)
    fetched.set(source.uri, pending)
    return await pending
  }
}

function keyFrom(secrets: readonly ReadDocument[], source: Extract<KeySource, { readonly kind: 'secret' }>): PublicKey {
  const { name, namespace, entry } = source
  const secret = secrets.find(
    ({ value }) =>
      nameIn(value, 'name') === name && (namespace === undefined || nameIn(value, 'namespace') === namespace),
  )
  const entries = secret === undefined ? [] : entriesOf(secret).filter(([key]) => entry === undefined || key === entry)
  const [only, ...more] = entries
  if (only !== undefined && more.length === 0) return publicKeyFromPem(only[1])
  throw new PolicyError('POLICY_KEY', `there is no key in the secret ${name}`, {
    expected: `a Secret in the files with ${entry === undefined ? 'exactly one entry' : `an entry ${entry}`}`,
    found: secret === undefined ? 'no such Secret' : `${String(entries.length)} entries`,
  })
}

function entriesOf(secret: ReadDocument): readonly (readonly [key: string, text: string])[] {
  const encoded = [...dataOf(secret, 'data')].map(([key, text]) => [key, decodeUtf8(decodeBase64(text))] as const)
  return [...encoded, ...dataOf(secret, 'stringData')]
}

type Roots = ReadonlyMap<string, ReturnType<typeof readTrustRoot>>

function trustRoots(documents: readonly ReadDocument[]): Roots {
  return new Map(
    documents
      .filter(({ value }) => isTrustRoot(value))
      .map(({ value }) => readTrustRoot(value))
      .map((root) => [root.name, root] as const),
  )
}

async function rootNamed(host: Host, roots: Roots, name: string): Promise<TrustedRoot> {
  const root = roots.get(name)
  if (root === undefined) throw new PolicyError('POLICY_TRUST_ROOT', `trustRootRef ${name} not found`)
  // Most trust roots state keys; the TUF client is only read for the others.
  const { loadTrustRoot } = await import('#policy/cip/load-trust-root')
  return await loadTrustRoot(root, { fetch: await host.connect(), clock: host.clock })
}

/** One loader for all that ask; the TUF client is only read if somebody does. */
function repositoryLoader(host: Host): PolicyFiles['trustRepository'] {
  let opened: Promise<PolicyFiles['trustRepository']> | undefined
  const open = async (): Promise<PolicyFiles['trustRepository']> => {
    const { keepTrustRepositories } = await import('#policy/trust-repositories')
    return keepTrustRepositories({ fetch: await host.connect(), clock: host.clock })
  }
  return async (repository) => await (await (opened ??= open()))(repository)
}

async function named<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const { code, message, expected, found, hint, cause } = error
    throw new PolicyError(code, `${label}: ${message}`, { expected, found, hint, cause })
  }
}
