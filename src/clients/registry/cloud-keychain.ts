/** Credentials that a cloud or a CI system holds ready for its own registry (`--k8s-keychain`). @module */
import { isJsonObject } from '#encoding/json'
import { readJson } from '../http/body.js'
import type { Fetch } from '../http/fetch.js'
import { isHttpError } from '../http/http-error.js'
import type { Environment } from '../http/proxy.js'
import { ANONYMOUS, type Credentials, type Keychain } from './credentials.js'

/** What the cloud keychain needs. */
export interface CloudKeychainPorts {
  readonly fetch: Fetch
  readonly env: Environment
}

interface CloudRegistry {
  readonly hosts: RegExp
  readonly credentials: (ports: CloudKeychainPorts) => Promise<Credentials> | Credentials
}

const CLOUDS: readonly CloudRegistry[] = [
  { hosts: /^ghcr\.io$/, credentials: ({ env }) => withPassword(env['GITHUB_ACTOR'] ?? '', env['GITHUB_TOKEN'] ?? '') },
  { hosts: /^(?:[\w-]+\.)?gcr\.io$|^[\w-]+-docker\.pkg\.dev$/, credentials: googleToken },
]

/** GitHub's token, and the machine's own account on Google. Each is asked once; a machine without one is anonymous. */
export function cloudKeychain(ports: CloudKeychainPorts): Keychain {
  const known = new Map<CloudRegistry, Promise<Credentials>>()
  return async ({ registry }) => {
    const cloud = CLOUDS.find(({ hosts }) => hosts.test(registry))
    if (cloud === undefined) return ANONYMOUS
    const found = known.get(cloud) ?? Promise.resolve(cloud.credentials(ports))
    known.set(cloud, found)
    return await found
  }
}

function withPassword(username: string, password: string): Credentials {
  if (password === '') return ANONYMOUS
  return { kind: 'basic', username: username === '' ? 'unset' : username, password }
}

async function googleToken({ fetch, env }: CloudKeychainPorts): Promise<Credentials> {
  const host = env['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  try {
    const response = await fetch(url, { headers: { 'metadata-flavor': 'Google' } })
    const answer = await readJson(response, { limit: 64 * 1024, what: 'the metadata server’s answer' })
    const token = isJsonObject(answer) ? answer['access_token'] : undefined
    return withPassword('oauth2accesstoken', response.status === 200 && typeof token === 'string' ? token : '')
  } catch (error) {
    // Elsewhere than on Google there is no such host.
    if (isHttpError(error)) return ANONYMOUS
    throw error
  }
}
