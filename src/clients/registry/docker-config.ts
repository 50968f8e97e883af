/** Docker's `config.json` and podman's `auth.json`: which credentials, or which helper, for which registry. @module */
import { encodeBase64, decodeBase64Any } from '#encoding/base64'
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { Repository } from '#formats/oci/reference'
import { ANONYMOUS, type Credentials } from './credentials.js'
import { RegistryError } from './registry-error.js'

/** A configuration file, parsed. */
export interface DockerConfig {
  /** For errors. */
  readonly path: string
  readonly auths: ReadonlyMap<string, Credentials>
  /** Registry → helper name. */
  readonly credHelpers: ReadonlyMap<string, string>
  /** The helper for every registry without one of its own. */
  readonly credsStore: string | undefined
}

/** Where a config says to look. */
export type CredentialPlace =
  | { readonly kind: 'inline'; readonly credentials: Credentials }
  | { readonly kind: 'helper'; readonly helper: string; readonly server: string }

/** The key under which Docker keeps the Hub's credentials, for historical reasons. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/'
const DOCKER_HUB = 'index.docker.io'

/** @throws RegistryError REGISTRY_CREDENTIALS if the file is not of that form: going on without it would only fail later. */
export function parseDockerConfig(bytes: Uint8Array, path: string): DockerConfig {
  const root = reading(path, () => parseJson(bytes))
  if (!isJsonObject(root)) throw malformed(path, 'a JSON object')
  const { credsStore } = root
  return {
    path,
    auths: new Map(members(root, 'auths').map(([key, value]) => [key, readAuth(value, path)])),
    credHelpers: new Map(
      members(root, 'credHelpers').flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, value] as const] : [],
      ),
    ),
    credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  }
}

/**
 * Where the credentials for a repository are. A helper for the registry comes first, then entries from the longest
 * path (podman) to the bare host, then the helper for everything.
 */
export function findCredentials(
  config: DockerConfig,
  { registry, repository }: Repository,
): CredentialPlace | undefined {
  const server = registry === DOCKER_HUB ? DOCKER_HUB_KEY : registry
  const helper = config.credHelpers.get(registry) ?? config.credHelpers.get(server)
  if (helper !== undefined && helper !== '') return { kind: 'helper', helper, server }
  const inline = inlineCredentials(config, registry, repository)
  if (inline !== undefined) return { kind: 'inline', credentials: inline }
  return config.credsStore === undefined ? undefined : { kind: 'helper', helper: config.credsStore, server }
}

function inlineCredentials({ auths }: DockerConfig, registry: string, repository: string): Credentials | undefined {
  const path = repository.split('/')
  const names = path.map((_, index) => [registry, ...path.slice(0, path.length - index)].join('/'))
  const wanted = [
    ...names,
    registry,
    ...(registry === DOCKER_HUB ? [DOCKER_HUB_KEY, 'docker.io', 'registry-1.docker.io'] : []),
  ]
  for (const name of wanted) {
    const exact = auths.get(name) ?? [...auths].find(([key]) => hostKey(key) === name)?.[1]
    // Docker keeps empty entries for registries whose secret is in the store.
    if (exact !== undefined && exact.kind !== 'anonymous') return exact
  }
  return undefined
}

/** `https://host/v1/` is an old spelling of `host`. */
function hostKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '')
}

function readAuth(value: JsonValue, path: string): Credentials {
  if (!isJsonObject(value)) throw malformed(path, 'objects under auths')
  const identity = text(value, 'identitytoken')
  if (identity !== '') return { kind: 'identity-token', token: identity }
  const token = text(value, 'registrytoken')
  if (token !== '') return { kind: 'registry-token', token }
  const auth = text(value, 'auth')
  const [username, password] = auth === '' ? [text(value, 'username'), text(value, 'password')] : splitAuth(auth, path)
  return username === '' && password === '' ? ANONYMOUS : { kind: 'basic', username, password }
}

function splitAuth(auth: string, path: string): [string, string] {
  // Docker pads the decoded text with NULs when it was written by old versions.
  const decoded = reading(path, () => decodeUtf8(decodeBase64Any(auth))).replace(/\0+$/, '')
  const colon = decoded.indexOf(':')
  if (colon < 0) throw malformed(path, 'base64 of user:password under auth')
  return [decoded.slice(0, colon), decoded.slice(colon + 1)]
}

/** The config with a login added, everything else in it kept. */
export function withLogin(
  source: Uint8Array | undefined,
  path: string,
  login: { readonly registry: string; readonly username: string; readonly password: string },
): Uint8Array {
  const root = source === undefined ? {} : reading(path, () => parseJson(source))
  if (!isJsonObject(root)) throw malformed(path, 'a JSON object')
  const auths = root['auths']
  const auth = encodeBase64(encodeUtf8(`${login.username}:${login.password}`))
  const key = login.registry === DOCKER_HUB ? DOCKER_HUB_KEY : login.registry
  const next = { ...root, auths: { ...(isJsonObject(auths) && auths), [key]: { auth } } }
  return encodeUtf8(`${JSON.stringify(next, null, '\t')}\n`)
}

function members(object: JsonObject, name: string): readonly (readonly [string, JsonValue])[] {
  const value = object[name]
  return isJsonObject(value) ? Object.entries(value) : []
}

function text(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed(path, cause.expected ?? 'JSON with base64 values', cause)
  }
}

function malformed(path: string, expected: string, cause?: unknown): RegistryError {
  return new RegistryError('REGISTRY_CREDENTIALS', `${path} is not a registry configuration`, {
    expected,
    hint: 'Repair or remove the file, or choose another with DOCKER_CONFIG or REGISTRY_AUTH_FILE.',
    cause,
  })
}
