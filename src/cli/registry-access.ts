/** The registry client that the registry flags ask for. @module */
import { createRegistryClient } from '#clients/registry/client'
import { explicitKeychain, firstOf, type Keychain } from '#clients/registry/credentials'
import { machineKeychain } from '#clients/registry/keychain'
import type { RegistryClient } from '#clients/registry/registry'
import type { CloudOptions } from './cloud-ports.js'
import type { ConnectOptions, Host } from './kit/host.js'

export interface RegistryFlags {
  readonly 'allow-http-registry': boolean
  readonly 'allow-insecure-registry': boolean
  readonly 'k8s-keychain': boolean
  readonly 'registry-username': string | undefined
  readonly 'registry-password': string | undefined
  readonly 'registry-token': string | undefined
  readonly 'registry-cacert': string | undefined
  readonly 'registry-client-cert': string | undefined
  readonly 'registry-client-key': string | undefined
  readonly 'registry-server-name': string | undefined
}

export interface RegistryOptions extends Pick<ConnectOptions, 'pace'> {
  readonly verbose: boolean
  /** Which programs may be run for the logins of clouds. */
  readonly programs?: CloudOptions['programs']
}

/** One client for a whole command: it remembers logins and manifests. */
export async function openRegistry(
  flags: RegistryFlags,
  host: Host,
  { verbose, pace, programs = 'any' }: RegistryOptions,
): Promise<RegistryClient> {
  const fetch = await host.connect({
    verbose,
    ...(pace !== undefined && { pace }),
    tls: {
      caFile: flags['registry-cacert'],
      clientCertificateFile: flags['registry-client-cert'],
      clientKeyFile: flags['registry-client-key'],
      serverName: flags['registry-server-name'],
      insecureSkipVerify: flags['allow-insecure-registry'],
    },
  })
  const explicit = explicitKeychain({
    username: flags['registry-username'],
    password: flags['registry-password'],
    token: flags['registry-token'],
  })
  const keychains: Keychain[] = [explicit, machineKeychain({ env: host.environment })]
  if (flags['k8s-keychain']) {
    const { openCloudKeychains } = await import('./cloud-logins.js')
    const clouds = await openCloudKeychains(host, { programs })
    keychains.push(clouds())
  }
  return createRegistryClient({
    fetch,
    clock: host.clock,
    keychain: firstOf(...keychains),
    allowHttp: flags['allow-http-registry'],
  })
}
