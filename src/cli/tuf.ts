/** Targets of the TUF repository, by way of the cache that cosign uses too. @module */
import { CliError } from './kit/errors.js'
import type { Host } from './kit/host.js'

export const TRUSTED_ROOT_TARGET = 'trusted_root.json'
export const SIGNING_CONFIG_TARGET = 'signing_config.v0.2.json'

/** The bytes of a target. */
export function tufTarget(_host: Host, name: string, _signal: AbortSignal): Promise<Uint8Array> {
  return Promise.reject(new CliError('CLI_UNSUPPORTED', `${name} cannot be fetched yet`, { hint: 'give --trusted-root or --signing-config' }))
}
