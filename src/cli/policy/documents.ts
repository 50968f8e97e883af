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
import { compilePolicy, isPolicy } from '#policy/front-ends'
import type { KeySource } from '#policy/internal/attestor'
import type { ClusterReader } from '#policy/internal/cluster'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { readDocuments, type ReadDocument } from '#policy/internal/documents'
import { Complaints, Fields } from '#policy/internal/fields'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { Host } from '../kit/host.js'
import { fetchInput, readTextFile } from '../read-input.js'

/** What the files say together. */
export interface PolicyFiles {
  readonly policies: readonly CompiledPolicy[]
  readonly config: ControllerConfig
  /** The documents as a cluster that policies can read. */
  readonly cluster: ClusterReader
  trustRoot(name: string): Promise<TrustedRoot>
  key(source: Exclude<KeySource, { readonly kind: 'inline' }>): PublicKey
}

/**
 * Reads and compiles. A ConfigMap, a Secret or a TrustRoot may stand in any of the files, in any order.
 * @throws PolicyError, with the name of the document
 */
export async function loadPolicyFiles(host: Host, paths: readonly string[], signal: AbortSignal): Promise<PolicyFiles> {
  const texts = await Promise.all(paths.map(async (path) => ({ path, text: await readTextFile(host, path) })))
  const documents = (await Promise.all(texts.map(({ path, text }) => readDocuments(text, path)))).flat()
  const configMaps = objectsNamed(documents, 'ConfigMap')
  const secrets = objectsNamed(documents, 'Secret')
  const settings = configMaps.get(CONTROLLER_CONFIG_NAME)
  const config = settings === undefined ? DEFAULT_CONTROLLER_CONFIG : readControllerConfig(settings.value)
  const ports: CompilePorts = {
    remoteText: async (url) => decodeUtf8(await fetchInput(host, url, signal)),
    clock: host.clock,
    configMapText: (name, key) => Promise.resolve(textIn(configMaps, name, key)),
  }
  const roots = trustRoots(documents)
  const known = documents.filter(
    ({ value }) => !isTrustRoot(value) && !isKind(value, 'ConfigMap', 'Secret', 'Namespace'),
  )
  const policies = await Promise.all(
    known.map(async ({ value, label }) => {
      return await named(label, () =>
        compilePolicy(value, { ports, failOnEmptyAuthorities: config.failOnEmptyAuthorities }),
      )
    }),
  )
  if (policies.length === 0) throw new PolicyError('POLICY_KIND', `there is no policy in ${paths.join(', ')}`)
  return {
    policies,
    config,
    cluster: clusterOfDocuments(documents.map(({ value }) => value)),
    trustRoot: (name) => rootNamed(host, roots, name),
    key: (source) => keyFrom(secrets, source),
  }
}

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
  return new Fields(value, '', new Complaints()).object('metadata')?.text('name') ?? ''
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

function keyFrom(secrets: Named, source: Exclude<KeySource, { readonly kind: 'inline' }>): PublicKey {
  if (source.kind === 'kms') throw new PolicyError('POLICY_KEY', `the key ${source.uri} cannot be had here`)
  const secret = secrets.get(source.name)
  const encoded =
    secret === undefined ? [] : [...dataOf(secret, 'data').values()].map((text) => decodeUtf8(decodeBase64(text)))
  const [text, ...more] = [...encoded, ...(secret === undefined ? [] : dataOf(secret, 'stringData').values())]
  if (text !== undefined && more.length === 0) return publicKeyFromPem(text)
  throw new PolicyError('POLICY_KEY', `there is no key in the secret ${source.name}`, {
    expected: 'a Secret in the files with exactly one entry',
    found: secret === undefined ? 'no such Secret' : `${String(more.length + (text === undefined ? 0 : 1))} entries`,
  })
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

async function named<T>(label: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const { code, message, expected, found, hint, cause } = error
    throw new PolicyError(code, `${label}: ${message}`, { expected, found, hint, cause })
  }
}
