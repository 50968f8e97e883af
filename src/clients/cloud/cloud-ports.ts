/** What the clouds' credential providers need of the world. @module */
import type { Clock } from '#time'
import type { Environment } from '../http/proxy.js'
import type { Fetch } from '../http/fetch.js'
import type { ProgramRunner } from '../programs.js'
import type { RecentLogins } from './recent-logins.js'

export interface CloudPorts {
  readonly fetch: Fetch
  /** For metadata servers, which answer at once or are not there: without a second attempt, and with little patience. */
  readonly machineFetch: Fetch
  readonly env: Environment
  readonly clock: Clock
  /** The text of a file, such as a token that the cluster projects. */
  readonly readText: (path: string) => Promise<string>
  /** Without it, nothing that somebody keeps on this machine is looked at. */
  readonly user?: UserPorts
}

/** What somebody keeps on this machine for the clouds' own tools. */
export interface UserPorts {
  readonly homeFolder: string | undefined
  /** Undefined: there is no such file. @throws CloudError CLOUD_SETTINGS for one that is too large or cannot be read */
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>
  readonly runner: ProgramRunner
  /**
   * Which programs are run for a login. `any`: whoever runs this does so on their own machine, and put the program there. `chosen`: this
   * answers others, as the gate does, and its home folder may be written to by more than who installed it; so a variable of the
   * environment has to choose the file that names the program, or the program.
   */
  readonly programs: 'any' | 'chosen'
  /** Logins that took a program or a request to get. */
  readonly logins: RecentLogins
}
