/** How patient the gate is with registries: a verdict has seconds, and a second attempt has to fit in. @module */
import type { CloudOptions } from '../cloud-ports.js'
import type { ConnectOptions } from '../kit/host.js'

/** A pod of many images asks of one registry in parallel; more connections than this only queue inside it. */
const CONNECTIONS = 64

export const REGISTRY_PACE: NonNullable<ConnectOptions['pace']> = {
  retry: { attempts: 3, baseMillis: 100, maxMillis: 500, maxRetryAfterMillis: 1500 },
  timeouts: { answerMillis: 8000, idleMillis: 5000 },
  maxConnections: CONNECTIONS,
}

/** The gate answers others: a login at a cloud is no reason to run a program that merely happens to be there. */
export const CLOUDS: CloudOptions & { readonly pace: NonNullable<ConnectOptions['pace']> } = {
  pace: REGISTRY_PACE,
  programs: 'chosen',
}
