/** What the clouds' credential providers need of the world. @module */
import type { Clock } from '#time'
import type { Environment } from '../http/proxy.js'
import type { Fetch } from '../http/fetch.js'

export interface CloudPorts {
  readonly fetch: Fetch
  /** For metadata servers, which answer at once or are not there: without a second attempt, and with little patience. */
  readonly machineFetch: Fetch
  readonly env: Environment
  readonly clock: Clock
  /** The text of a file, such as a token that the cluster projects. */
  readonly readText: (path: string) => Promise<string>
}
