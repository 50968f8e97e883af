/** The clients of key management services on this machine. Loaded when an address of a key is given: see services.ts. @module */
import { systemTimers } from '#clients/http/timers'
import type { CreatedKey } from '#clients/kms/key-service'
import { createKmsKey, fetchKmsKey, openKmsSigner, type KmsKeyAsk } from '#clients/kms/kms'
import type { KmsKey, KmsPorts } from '#clients/kms/kms-key'
import type { Signer } from '#crypto/private-key'
import { type CloudOptions, openCloudPorts } from '../cloud-ports.js'
import type { ConnectOptions, Host } from '../kit/host.js'
import { readTextFile } from '../read-input.js'

export interface KmsOptions {
  /** Who wrote the addresses of keys: whoever runs this program, or a policy. */
  readonly endpoints: KmsPorts['endpoints']
  readonly pace?: ConnectOptions['pace'] | undefined
  readonly programs?: CloudOptions['programs']
}

export interface Kms {
  readonly key: (uri: string, signal: AbortSignal) => Promise<KmsKey>
  readonly signer: (uri: string, signal: AbortSignal) => Promise<Signer>
  readonly create: (uri: string, ask: KmsKeyAsk) => Promise<CreatedKey>
}

export async function openKms(host: Host, { endpoints, pace, programs = 'any' }: KmsOptions): Promise<Kms> {
  const patience = pace === undefined ? {} : { pace }
  const { VAULT_CACERT: caFile = '' } = host.environment
  const cloud = await openCloudPorts(host, { pace, programs })
  const ports: KmsPorts = {
    ...cloud,
    vaultFetch: caFile === '' ? cloud.fetch : await host.connect({ ...patience, tls: { caFile } }),
    vaultTokenFile: async () => {
      const path = `${host.homeFolder ?? ''}/.vault-token`
      return host.homeFolder !== undefined && (await host.files.exists(path))
        ? await readTextFile(host, path)
        : undefined
    },
    endpoints,
    timers: systemTimers,
  }
  return {
    key: (uri, signal) => fetchKmsKey(ports, uri, signal),
    signer: (uri, signal) => openKmsSigner(ports, uri, signal),
    create: (uri, ask) => createKmsKey(ports, uri, ask),
  }
}
