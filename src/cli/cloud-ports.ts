/** What saying who this is to a cloud takes of this machine. @module */
import type { CloudPorts } from '#clients/cloud/cloud-ports'
import type { ConnectOptions, Host } from './kit/host.js'
import { readTextFile } from './read-input.js'

/** Metadata services are on the machine: what has not answered in a second is not there. */
const MACHINE_PACE: NonNullable<ConnectOptions['pace']> = {
  retry: { attempts: 1, baseMillis: 0, maxMillis: 0, maxRetryAfterMillis: 0 },
  timeouts: { answerMillis: 1000, idleMillis: 1000 },
}

export async function openCloudPorts(host: Host, pace?: ConnectOptions['pace']): Promise<CloudPorts> {
  return {
    fetch: await host.connect(pace === undefined ? {} : { pace }),
    machineFetch: await host.connect({ pace: MACHINE_PACE }),
    env: host.environment,
    clock: host.clock,
    readText: (path) => readTextFile(host, path),
  }
}
