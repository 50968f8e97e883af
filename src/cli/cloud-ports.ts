/** What saying who this is to a cloud takes of this machine. @module */
import { concatBytes } from '#encoding/bytes'
import { CloudError } from '#clients/cloud/cloud-error'
import type { CloudPorts, UserPorts } from '#clients/cloud/cloud-ports'
import { RecentLogins } from '#clients/cloud/recent-logins'
import { nodeProgramRunner } from '#clients/programs'
import { isCodedError } from '#errors'
import type { ConnectOptions, Host } from './kit/host.js'
import { asText } from './read-input.js'

export interface CloudOptions {
  readonly pace?: ConnectOptions['pace'] | undefined
  readonly programs: UserPorts['programs']
  readonly runner?: UserPorts['runner']
}

/** Metadata services are on the machine: what has not answered in a second is not there. */
const MACHINE_PACE: NonNullable<ConnectOptions['pace']> = {
  retry: { attempts: 1, baseMillis: 0, maxMillis: 0, maxRetryAfterMillis: 0 },
  timeouts: { answerMillis: 1000, idleMillis: 1000 },
}

export async function openCloudPorts(host: Host, options: CloudOptions): Promise<CloudPorts> {
  const { pace, programs, runner = nodeProgramRunner } = options
  return {
    fetch: await host.connect(pace === undefined ? {} : { pace }),
    machineFetch: await host.connect({ pace: MACHINE_PACE }),
    env: host.environment,
    clock: host.clock,
    readText: async (path) => asText(await readLimited(host, path), path),
    user: {
      homeFolder: host.homeFolder,
      readFile: async (path) => ((await exists(host, path)) ? await readLimited(host, path) : undefined),
      runner,
      programs,
      logins: new RecentLogins(host.clock),
    },
  }
}

/** Hundreds of profiles fit in. */
const LIMIT = 1024 * 1024

async function exists(host: Host, path: string): Promise<boolean> {
  return await orRefused(path, () => host.files.exists(path))
}

async function readLimited(host: Host, path: string): Promise<Uint8Array> {
  return await orRefused(path, async () => {
    const pieces: Uint8Array[] = []
    let size = 0
    for await (const piece of host.files.stream(path)) {
      size += piece.length
      if (size > LIMIT) throw unusable(path, `at most ${String(LIMIT)} bytes`)
      pieces.push(piece)
    }
    return concatBytes(...pieces)
  })
}

async function orRefused<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isCodedError(error) && error.code === 'CLI_FILE') throw unusable(path, 'a file that can be read', error)
    throw error
  }
}

function unusable(path: string, expected: string, cause?: unknown): CloudError {
  return new CloudError('CLOUD_SETTINGS', `${path} cannot be read`, { expected, cause })
}
