/** The logins of the cloud that this runs in. @module */
import { cloudKeychain, type CloudName } from '#clients/registry/cloud/cloud-keychain'
import type { CloudPorts } from '#clients/cloud/cloud-ports'
import type { Keychain } from '#clients/registry/credentials'
import type { ConnectOptions, Host } from './kit/host.js'
import { readTextFile } from './read-input.js'

/** Metadata services are on the machine: what has not answered in a second is not there. */
const MACHINE_PACE: NonNullable<ConnectOptions['pace']> = {
  retry: { attempts: 1, baseMillis: 0, maxMillis: 0, maxRetryAfterMillis: 0 },
  timeouts: { answerMillis: 1000, idleMillis: 1000 },
}

/** Makes keychains of some of the clouds, or of all. */
export async function openCloudKeychains(
  host: Host,
  pace?: ConnectOptions['pace'],
): Promise<(names?: readonly CloudName[]) => Keychain> {
  const ports: CloudPorts = {
    fetch: await host.connect(pace === undefined ? {} : { pace }),
    machineFetch: await host.connect({ pace: MACHINE_PACE }),
    env: host.environment,
    clock: host.clock,
    readText: (path) => readTextFile(host, path),
  }
  return (names) => cloudKeychain(ports, names)
}
