/** The logins of the cloud that this runs in. @module */
import { cloudKeychain, type CloudName } from '#clients/registry/cloud/cloud-keychain'
import type { Keychain } from '#clients/registry/credentials'
import { openCloudPorts } from './cloud-ports.js'
import type { ConnectOptions, Host } from './kit/host.js'

/** Makes keychains of some of the clouds, or of all. */
export async function openCloudKeychains(
  host: Host,
  pace?: ConnectOptions['pace'],
): Promise<(names?: readonly CloudName[]) => Keychain> {
  const ports = await openCloudPorts(host, pace)
  return (names) => cloudKeychain(ports, names)
}
