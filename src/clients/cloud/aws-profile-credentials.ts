/** Who this is to AWS by a profile of the shared files: its source, and the roles from there to what is meant. @module */
import { type AwsFiles, chosenProfile, loadAwsFiles } from './aws-files.js'
import { environmentRegion } from './aws-endpoints.js'
import { processCredentials } from './aws-process.js'
import { type AwsProfile, type AwsSource, readOwnSource, readProfile, readSourceProfile } from './aws-profile.js'
import type { AwsCredentials } from './aws-signature.js'
import { ssoCredentials } from './aws-sso.js'
import { assumeRole, assumeRoleWithWebIdentity } from './aws-sts.js'
import { fromContainer, fromEnvironment, fromMachine } from './aws-surroundings.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts, UserPorts } from './cloud-ports.js'

/** Profiles from the one that is meant to its source. */
const MAX_PROFILES = 5

/**
 * The login of the profile that is meant; undefined: there is none, and nobody asked for one.
 * @throws CloudError CLOUD_SETTINGS, CLOUD_CREDENTIALS, CLOUD_LOGIN_EXPIRED
 */
export async function fromProfile(
  ports: CloudPorts,
  place: { readonly region: string },
): Promise<AwsCredentials | undefined> {
  const { user } = ports
  if (user === undefined) return undefined
  const files = await loadAwsFiles(ports, user)
  const profile = profileMeant(ports, files)
  if (profile === undefined) return undefined
  const region = environmentRegion(ports.env) ?? profile.region ?? place.region
  return await new Resolution({ ports, user, files, region }).login(profile, [chosenProfile(ports).name])
}

/** The region of the profile that is meant. @throws CloudError CLOUD_SETTINGS */
export async function profileRegion(ports: CloudPorts): Promise<string | undefined> {
  if (ports.user === undefined) return undefined
  return profileMeant(ports, await loadAwsFiles(ports, ports.user))?.region
}

function profileMeant(ports: CloudPorts, { profiles, sessions }: AwsFiles): AwsProfile | undefined {
  const { name, chosen } = chosenProfile(ports)
  const section = profiles.get(name)
  if (section !== undefined) return readProfile(name, section, sessions)
  if (!chosen) return undefined
  throw new CloudError('CLOUD_SETTINGS', `there is no profile ${name.slice(0, 60)}`, {
    expected: 'a profile in ~/.aws/config or ~/.aws/credentials',
    hint: 'AWS_PROFILE says which one is meant',
  })
}

interface ResolutionOptions {
  readonly ports: CloudPorts
  readonly user: UserPorts
  readonly files: AwsFiles
  /** Where roles are asked for. */
  readonly region: string
}

class Resolution {
  readonly #options: ResolutionOptions

  constructor(options: ResolutionOptions) {
    this.#options = options
  }

  /** @param path names of the profiles from the one that is meant to this one */
  async login({ source, role }: AwsProfile, path: readonly string[]): Promise<AwsCredentials | undefined> {
    const { ports, user, region } = this.#options
    if (source === undefined) return undefined
    if (source.kind === 'web-identity' && role !== undefined) {
      const { tokenFile } = source
      const key = `aws web-identity ${tokenFile} ${region} ${JSON.stringify(role)}`
      return await user.logins.get(key, () => assumeRoleWithWebIdentity(ports, { role, region }, tokenFile))
    }
    const found = await this.#ofSource(source, path)
    if (role === undefined) return found
    const key = `aws role ${found.accessKeyId} ${region} ${JSON.stringify(role)}`
    return await user.logins.get(key, () => assumeRole(ports, { role, region }, found))
  }

  async #ofSource(source: AwsSource, path: readonly string[]): Promise<AwsCredentials> {
    const { ports, user } = this.#options
    switch (source.kind) {
      case 'keys':
        return source.credentials
      case 'profile':
        return await this.#ofProfile(source.name, path)
      case 'sso':
        return await user.logins.get(`aws sso ${JSON.stringify(source.login)}`, () =>
          ssoCredentials(ports, user, source.login),
        )
      case 'process':
        return await user.logins.get(`aws process ${source.command}`, () =>
          processCredentials(ports, user, source.command),
        )
      case 'surroundings':
        return (await SURROUNDINGS[source.name](ports)) ?? noLogin(`credential_source ${source.name}`)
      case 'web-identity':
        throw new CloudError('CLOUD_SETTINGS', 'web_identity_token_file needs role_arn')
    }
  }

  async #ofProfile(name: string, path: readonly string[]): Promise<AwsCredentials> {
    const { profiles, sessions } = this.#options.files
    const section = profiles.get(name)
    const shown = name.slice(0, 60)
    if (section === undefined)
      throw new CloudError('CLOUD_SETTINGS', `there is no profile ${shown}, which is a source_profile`)
    // Its keys are those of the role that it names: as if there were two profiles.
    if (path.at(-1) === name) {
      const own = readOwnSource(name, section, sessions)
      return own === undefined ? noLogin(`the profile ${shown}`) : await this.#ofSource(own, [...path, name])
    }
    if (path.includes(name) || path.length >= MAX_PROFILES) {
      throw new CloudError('CLOUD_SETTINGS', 'source_profile leads in a circle, or too far', {
        expected: `at most ${String(MAX_PROFILES)} profiles, each once`,
        found: [...path, name].map((each) => each.slice(0, 60)).join(' → '),
      })
    }
    const profile = readSourceProfile(name, section, sessions)
    return (await this.login(profile, [...path, name])) ?? noLogin(`the profile ${shown}`)
  }
}

const SURROUNDINGS = {
  Environment: fromEnvironment,
  Ec2InstanceMetadata: fromMachine,
  EcsContainer: fromContainer,
} as const

function noLogin(what: string): never {
  throw new CloudError('CLOUD_CREDENTIALS', `${what} gives no login for AWS`)
}
