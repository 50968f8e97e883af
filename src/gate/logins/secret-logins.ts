/** Registry logins in Secrets of a cluster. @module */
import { findCredentials, parseDockerConfig } from '#clients/registry/docker-config'
import type { DockerConfig } from '#clients/registry/docker-config'
import { ANONYMOUS } from '#clients/registry/credentials'
import type { Credentials } from '#clients/registry/credentials'
import type { JsonObject } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Repository } from '#formats/oci/reference'
import { dataOf } from '../snapshot/secret-keys.js'

const read = new WeakMap<JsonObject, DockerConfig>()

/**
 * The logins of a Secret of type `kubernetes.io/dockerconfigjson` or `dockercfg`; none of another.
 * @throws RegistryError REGISTRY_CREDENTIALS
 */
export function loginsOfSecret(secret: JsonObject, name: string): DockerConfig {
  const known = read.get(secret)
  if (known !== undefined) return known
  const config = parseSecret(dataOf(secret), `the secret ${name}`)
  read.set(secret, config)
  return config
}

/** The Secret's login for a repository. Helpers that it names are programs of somebody else's choosing, and are not run. */
export function credentialsIn(config: DockerConfig, repository: Repository): Credentials {
  const place = findCredentials({ ...config, credHelpers: new Map(), credsStore: undefined }, repository)
  return place?.kind === 'inline' ? place.credentials : ANONYMOUS
}

function parseSecret(entries: ReadonlyMap<string, string>, what: string): DockerConfig {
  const whole = entries.get('.dockerconfigjson')
  if (whole !== undefined) return parseDockerConfig(encodeUtf8(whole), what)
  const old = entries.get('.dockercfg')
  if (old === undefined) return parseDockerConfig(encodeUtf8('{}'), what)
  // The oldest form has what is now below `auths` at its top.
  const auths = parseJson(old)
  return parseDockerConfig(encodeUtf8(JSON.stringify({ auths: isJsonObject(auths) ? auths : {} })), what)
}
