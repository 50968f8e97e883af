/** With which logins the images of one review are read: those that the kubelet will have, and those that the policy brings along. @module */
import type { Credentials, Keychain } from '#clients/registry/credentials'
import type { DockerConfig } from '#clients/registry/docker-config'
import { sha256 } from '#crypto/digest'
import { encodeBase64Url } from '#encoding/base64'
import { concatBytes } from '#encoding/bytes'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Repository } from '#formats/oci/reference'
import { podSpec } from '#policy/internal/pod-images'
import type { Review } from '#policy/internal/review'
import { credentialsIn, loginsOfSecret } from './secret-logins.js'
import type { SecretReader } from './secret-reader.js'

/** Where a login is. */
export interface SecretName {
  readonly namespace: string
  readonly name: string
}

/** The logins of one review. */
export interface ReviewLogins {
  /** The same text for the same logins, and for no others; no secret can be read from it. */
  readonly id: string
  readonly keychain: Keychain
  /** Who reads a repository: `installation`, or whoever has this login. */
  readonly identity: (repository: Repository) => string
}

export interface LoginOptions {
  readonly secrets: SecretReader
  /** Logins that the installation itself has, for whatever the Secrets do not say. */
  readonly installation: Keychain
  /** Unknown outside of this process: identities are hashes of logins, and must not let them be guessed. */
  readonly salt: Uint8Array
}

/** More than a pod specification can reasonably name. */
const MAX_SECRETS = 100

/** Names of the Secrets with which the resource's images are pulled. */
export async function pullSecretsOf(review: Review, secrets: SecretReader): Promise<readonly SecretName[]> {
  const { namespace, kind, object } = review
  const spec = podSpec(kind.kind, object)?.spec
  if (namespace === undefined || spec === undefined) return []
  const account = textIn(spec, 'serviceAccountName') || textIn(spec, 'serviceAccount') || 'default'
  const serviceAccount = await secrets.serviceAccount(namespace, account)
  return [...namesIn(spec), ...(serviceAccount === undefined ? [] : namesIn(serviceAccount))]
    .slice(0, MAX_SECRETS)
    .map((name) => ({ namespace, name }))
}

/** Opens the logins. One that is not there is left out, as the kubelet does; one that cannot be read is an error. */
export async function openLogins(
  names: readonly SecretName[],
  { secrets, installation, salt }: LoginOptions,
): Promise<ReviewLogins> {
  const unique = [...new Map(names.map((name) => [`${name.namespace}/${name.name}`, name])).values()]
  const found = await Promise.all(
    unique.map(async ({ namespace, name }) => {
      const secret = await secrets.secret(namespace, name)
      return secret === undefined ? [] : [loginsOfSecret(secret, `${namespace}/${name}`)]
    }),
  )
  const configs = found.flat()
  const inSecrets = (repository: Repository): Credentials | undefined =>
    configs.map((config) => credentialsIn(config, repository)).find(({ kind }) => kind !== 'anonymous')
  const identities = new Map<Credentials, string>()
  return {
    // Only what has to be fetched asks for it.
    get id() {
      return saltedHash(salt, configs.map(contentOf))
    },
    keychain: async (repository) => inSecrets(repository) ?? (await installation(repository)),
    identity: (repository) => {
      const credentials = inSecrets(repository)
      if (credentials === undefined) return 'installation'
      const known = identities.get(credentials) ?? saltedHash(salt, credentials)
      identities.set(credentials, known)
      return known
    },
  }
}

function contentOf({ auths }: DockerConfig): unknown {
  return [...auths]
}

function saltedHash(salt: Uint8Array, value: unknown): string {
  return encodeBase64Url(sha256(concatBytes(salt, encodeUtf8(JSON.stringify(value)))))
}

function namesIn({ imagePullSecrets }: JsonObject): readonly string[] {
  if (!Array.isArray(imagePullSecrets)) return []
  return (imagePullSecrets as readonly JsonValue[]).flatMap((each) => {
    const name = isJsonObject(each) ? textIn(each, 'name') : ''
    return name === '' ? [] : [name]
  })
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}
