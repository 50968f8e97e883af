/** Logins that a cloud or a CI system holds ready for its own registry (`--k8s-keychain`, and the gate). @module */
import type { CloudPorts } from '../../cloud/cloud-ports.js'
import { RecentAnswers } from '../../recent-answers.js'
import { ANONYMOUS, type Credentials, type Keychain } from '../credentials.js'
import { AMAZON_HOST, amazonLogin } from './amazon.js'
import { AZURE_HOST, azureLogin } from './azure.js'
import { GOOGLE_HOST, googleLogin } from './google.js'

/** By Kyverno's names for them. */
export type CloudName = 'amazon' | 'azure' | 'github' | 'google'

export const CLOUD_NAMES: readonly CloudName[] = ['amazon', 'azure', 'github', 'google']

interface CloudRegistry {
  readonly hosts: RegExp
  /** Registries of one realm share a login. */
  readonly realm: (registry: string) => string
  readonly login: (ports: CloudPorts, registry: string) => Promise<Credentials>
}

const CLOUDS: Readonly<Record<CloudName, CloudRegistry>> = {
  amazon: { hosts: AMAZON_HOST, realm: (registry) => registry.slice(registry.indexOf('.')), login: amazonLogin },
  azure: { hosts: AZURE_HOST, realm: (registry) => registry, login: azureLogin },
  github: { hosts: /^ghcr\.io$/, realm: () => '', login: githubLogin },
  google: { hosts: GOOGLE_HOST, realm: () => '', login: googleLogin },
}

/** Registries' names come from pods, so only so many are remembered. */
const REMEMBERED = 200

/**
 * Each cloud is asked about its own registries only, and once a realm; a machine that is nobody to it is anonymous. What fails is
 * asked again.
 */
export function cloudKeychain(ports: CloudPorts, names: readonly CloudName[] = CLOUD_NAMES): Keychain {
  const known = new RecentAnswers(REMEMBERED)
  return async ({ registry }) => {
    const name = names.find((each) => CLOUDS[each].hosts.test(registry))
    if (name === undefined) return ANONYMOUS
    const { realm, login } = CLOUDS[name]
    const key = `${name} ${realm(registry)}`
    return await known.get(key, () => login(ports, registry))
  }
}

async function githubLogin({ env }: CloudPorts): Promise<Credentials> {
  const { GITHUB_ACTOR: actor = '', GITHUB_TOKEN: password = '' } = env
  return password === '' ? ANONYMOUS : { kind: 'basic', username: actor === '' ? 'unset' : actor, password }
}
