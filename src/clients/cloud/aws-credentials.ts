/**
 * Who this is to AWS, in the order of its own client for Go (`resolveCredentialChain`): keys in the environment, a role for a token of
 * the cluster, a profile of the shared files, the container, the machine.
 *
 * @module
 */
import { fromProfile, profileRegion } from './aws-profile-credentials.js'
import type { AwsCredentials } from './aws-signature.js'
import { fromContainer, fromEnvironment, fromMachine, fromWebIdentity } from './aws-surroundings.js'
import type { CloudPorts } from './cloud-ports.js'

/** Where roles are asked for, if neither the environment nor a profile says it. */
export interface AwsPlace {
  readonly region: string
}

type Source = (ports: CloudPorts, place: AwsPlace) => Promise<AwsCredentials | undefined>

const SOURCES: readonly Source[] = [fromEnvironment, fromWebIdentity, fromProfile, fromContainer, fromMachine]

/**
 * Undefined: this is nobody to AWS.
 * @throws CloudError CLOUD_CREDENTIALS, CLOUD_SETTINGS, CLOUD_LOGIN_EXPIRED if something is configured and does not work
 */
export async function awsCredentials(ports: CloudPorts, place: AwsPlace): Promise<AwsCredentials | undefined> {
  for (const source of SOURCES) {
    const found = await source(ports, place)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The region that is meant where nothing else says one: that of the environment, which is not checked, or of the profile.
 * @throws CloudError CLOUD_SETTINGS
 */
export async function awsRegion(ports: CloudPorts): Promise<string | undefined> {
  const { AWS_REGION: region = '', AWS_DEFAULT_REGION: usual = '' } = ports.env
  return region || usual || (await profileRegion(ports))
}
