/** The logins of the cloud that this runs in. @module */
import { cloudKeychain, type CloudName } from '#clients/registry/cloud/cloud-keychain'
import type { Keychain } from '#clients/registry/credentials'
import { type CloudOptions, openCloudPorts } from './cloud-ports.js'
import type { Host } from './kit/host.js'

/** Makes keychains of some of the clouds, or of all. */
export async function openCloudKeychains(
  host: Host,
  options: CloudOptions,
): Promise<(names?: readonly CloudName[]) => Keychain> {
  const ports = await openCloudPorts(host, options)
  return (names) => cloudKeychain(ports, names)
}
